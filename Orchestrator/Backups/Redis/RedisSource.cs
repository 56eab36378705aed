using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Redis.Streams;
using Orchestrator.Docker;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Redis;

/// <summary>
/// Redis: a copy of its data as of one offset, and where the stream of commands is received (<see cref="Stacks.BackupSpec.Stream"/>) any moment since.
/// Fingerprints are sums over all keys without a time to live, taken from the very bytes that are stored; those of a running server from a copy that it
/// sends now, so they equal a backup's only where nothing was written in between, as on a restored copy.
/// </summary>
public sealed class RedisSource(IContainerEngine engine, SecretStore secrets, TimeProvider time) : IBackupSource
{
    private readonly RedisLogins _logins = new(secrets);
    private readonly RedisCopy _copy = new(engine, time);

    public string Kind => "redis";

    public async Task<ImmutableArray<BackupFinding>> CheckAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        try
        {
            var endpoint = await _logins.OfAsync(subject, cancellationToken);
            await using var connection = await RedisConnection.OpenAsync(endpoint, time, cancellationToken);
            return await new RedisChecks(subject, connection, HostMemory.Read()).FindAsync(cancellationToken);
        }
        catch (RedisException failure)
        {
            return [new BackupFinding(Blocking: true, failure.Message, failure.Hint)];
        }
        catch (BackupFailedException failure)
        {
            return [new BackupFinding(Blocking: true, failure.Message, failure.Hint)];
        }
    }

    public async Task<BackupPart> BackupAsync(BackupSubject subject, BackupWriter writer, CancellationToken cancellationToken)
    {
        var endpoint = await _logins.OfAsync(subject, cancellationToken);
        var facts = await FactsAsync(subject, endpoint, cancellationToken);
        RedisCopy.Result? copied = null;
        var stored = await writer.WriteTellingAsync(
            $"{subject.Service.Name}/dump.rdb",
            $"{subject.Service.Name}: keys",
            async (content, token) => copied = await _copy.ReadAsync(endpoint, subject.Container.Id, content, token),
            cancellationToken);
        var (position, taken, summary, method, _) = copied ?? throw new InvalidOperationException("The writer did not ask for the content.");

        facts["method"] = method;
        facts["taken"] = taken.ToString(CultureInfo.InvariantCulture);
        if (copied.WhyNotReplicated is { } why) facts["not-replicated"] = why;
        if (position is not null) facts[BackupFacts.StreamFrom] = StreamKeys.From(subject.Stack, subject.Service.Name, position);
        if (position is not null) (facts["replid"], facts["offset"]) = (position.History, position.Offset.ToString(CultureInfo.InvariantCulture));
        if (summary.Problem is { } problem) facts["not-fingerprinted"] = problem;
        if (summary.Fields.TryGetValue("redis-ver", out var version)) facts["version"] = version;
        facts.AddRange(summary.Counts);
        return new BackupPart
        {
            Service = subject.Service.Name,
            Kind = Kind,
            Objects = [stored],
            Facts = facts.ToImmutable(),
            Fingerprints = summary.Fingerprints,
        };
    }

    public RecoverySection? Recovery(BackupPart part) => RedisRecovery.Section(part);

    public Task RestoreAsync(BackupPart part, RestoreTarget target, BackupReader reader, CancellationToken cancellationToken) =>
        new RedisRestore(part, target, reader, engine, time).RunAsync(cancellationToken);

    public async Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var endpoint = await _logins.OfAsync(subject, cancellationToken);
        return (await _copy.ReadAsync(endpoint, subject.Container.Id, copy: null, cancellationToken)).Summary.Fingerprints;
    }

    private async Task<ImmutableSortedDictionary<string, string>.Builder> FactsAsync(BackupSubject subject, RedisEndpoint endpoint, CancellationToken cancellationToken)
    {
        var facts = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        facts["image"] = subject.Image;
        try
        {
            await using var connection = await RedisConnection.OpenAsync(endpoint, time, cancellationToken);
            var settings = await RedisSettings.AskAsync(connection, cancellationToken);
            facts.AddRange(settings.Facts);
            if (RedisLayout.OwnerOf(subject, settings) is { } owner) facts["owner"] = owner;
            // Which slots this one had; a server that is in no cluster refuses.
            if (await connection.TryAskAsync(["CLUSTER", "NODES"], cancellationToken) is RedisReply.Bulk nodes) facts["cluster-nodes"] = nodes.Text;
            return facts;
        }
        catch (RedisException failure)
        {
            throw new BackupFailedException(failure.Message, failure.Hint, failure);
        }
    }
}
