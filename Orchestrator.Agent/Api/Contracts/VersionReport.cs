namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What <c>basmalin version</c> says.</summary>
/// <param name="Product">Always <see cref="Name"/>: by it an upgrade knows its own kind.</param>
/// <param name="Client">Version of the command line.</param>
/// <param name="Schema">The newest schema of the journal that this program reads and writes.</param>
/// <param name="Daemon">Null: it does not answer, or was not asked.</param>
public sealed record VersionReport(string Product, string Client, int Schema, VersionResponse? Daemon)
{
    public const string Name = "basmalin";
}
