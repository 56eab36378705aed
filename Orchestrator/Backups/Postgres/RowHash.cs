namespace Orchestrator.Backups.Postgres;

/// <summary>How the rows of a set's tables were hashed. A copy is compared by hashes of the kind that its set has.</summary>
internal enum RowHash
{
    /// <summary>
    /// <c>hash_record_extended</c>, as the first versions of this program did (from PostgreSQL 14 on; the text of the row before). It adds the hashes of the columns
    /// up, so that values exchanged between two rows can leave the sum of all rows as it was; and it takes twice the time.
    /// </summary>
    Records,

    /// <summary>
    /// Each column's hash upon that of the one before; see <see cref="ColumnHashes"/>.
    /// </summary>
    Columns,

    /// <summary>
    /// The text of each row: the same in another cluster, so for dumps. The other two are not, where a value is kept as the number of something (of an enum's label, for
    /// instance) that a dump does not carry over.
    /// </summary>
    Text,
}
