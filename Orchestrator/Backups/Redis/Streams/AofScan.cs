using System.Runtime.CompilerServices;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>Walks through stored commands and keeps count of where in the history they are.</summary>
internal static class AofScan
{
    /// <summary>Everything that is whole, up to the end or to where it breaks off.</summary>
    public static async IAsyncEnumerable<Item> OfAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var reader = new AofReader(file.ReadAsync);
        long bytes = 0;
        long? offset = null;
        var inTransaction = false;
        while (true)
        {
            var item = await reader.NextAsync(cancellationToken);
            if (item == AofItem.End) yield break;

            bytes += reader.Bytes.Length;
            if (item == AofItem.Remark) offset = AofRemark.OffsetOf(reader.Text) ?? offset;
            else offset += reader.Bytes.Length;
            if (reader.Text == "MULTI") inTransaction = true;
            if (reader.Text == "EXEC") inTransaction = false;
            if (offset is { } known) yield return new(bytes, known, item == AofItem.Remark && AofRemark.OffsetOf(reader.Text) is not null, inTransaction);
        }
    }

    /// <param name="Bytes">From the beginning of the file to the end of the item.</param>
    /// <param name="Offset">In the history, of what follows the item.</param>
    internal readonly record struct Item(long Bytes, long Offset, bool IsRemark, bool InTransaction);
}
