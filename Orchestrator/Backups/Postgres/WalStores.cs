using System.Text;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Postgres;

/// <summary>Where the continuous log goes.</summary>
/// <param name="Writer">Of the service's stream; see <see cref="WalPiece.NameOf"/> for the names.</param>
/// <param name="Delete">Removes an object, by key, from every store. Already gone is success.</param>
public sealed record WalStores(BackupWriter Writer, BackupReader Reader, Func<string, CancellationToken, Task> Delete)
{
    internal async Task<IReadOnlyList<WalPiece>> PiecesAsync(string stack, string service, string systemIdentifier, CancellationToken cancellationToken) =>
        [.. (await Reader.ListAsync(WalPiece.Prefix(stack, service, systemIdentifier), cancellationToken)).Select(stored => WalPiece.Parse(stored.Key)).OfType<WalPiece>()];

    /// <summary>Keeps a timeline's history, unless it is kept already.</summary>
    internal async Task KeepAsync(WalSubject subject, string systemIdentifier, uint timeline, string content, CancellationToken cancellationToken)
    {
        var known = await Reader.ListAsync(WalPiece.Prefix(subject.Stack, subject.Service, systemIdentifier), cancellationToken);
        if (known.Any(stored => HistoryObject.TimelineOf(stored.Key) == timeline)) return;
        await Writer.WriteAsync(HistoryObject.NameOf(systemIdentifier, timeline), (output, token) => output.WriteAsync(Encoding.UTF8.GetBytes(content), token).AsTask(), cancellationToken);
    }
}
