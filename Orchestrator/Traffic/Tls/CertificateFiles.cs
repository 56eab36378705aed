using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Traffic.Tls;

/// <summary>
/// The certificates of a directory: <c>NAME.crt</c> or <c>NAME.pem</c> (the whole chain) beside <c>NAME.key</c>. The names are those that the
/// certificate says, not the file's. A pair that cannot be read keeps what it was before, and concerns its own hosts only.
/// </summary>
public sealed partial class CertificateFiles(string directory, CertificateStore store, TimeProvider time, ILogger<CertificateFiles> logger)
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    // A clock of a file system ticks coarsely: what was written just now may be written again without showing it.
    private static readonly TimeSpan Coarse = TimeSpan.FromSeconds(2);

    private const long Largest = 1 << 20;

    private readonly Dictionary<string, Pair> _pairs = new(StringComparer.Ordinal);
    private readonly Lock _looking = new();
    private bool _looked;
    private string? _unreadable;

    /// <summary>What is wrong with the files now, one line each.</summary>
    public ImmutableArray<string> Problems { get; private set; } = [];

    /// <summary>Looks whether a file has changed, and serves what is new. Cheap when nothing has.</summary>
    public void Refresh()
    {
        lock (_looking)
        {
            if (List() is not { } names) return;

            var changed = false;
            foreach (var gone in _pairs.Keys.Except(names).ToList())
            {
                LogRemoved(gone, directory);
                changed |= _pairs.Remove(gone);
            }

            foreach (var name in names) changed |= Look(name);
            var ordered = _pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
            if (changed) store.SetFiles([.. ordered.Select(pair => pair.Value.Certificate).OfType<EdgeCertificate>()]);
            Problems = [.. ordered.Where(pair => pair.Value.Problem is not null).Select(pair => $"{Path.Combine(directory, pair.Key)}: {pair.Value.Problem}")];
            _looked = true;
        }
    }

    private List<string>? List()
    {
        try
        {
            var names = Directory.EnumerateFiles(directory)
                .Where(file => Path.GetExtension(file) is ".crt" or ".pem" or ".key")
                .Select(Path.GetFileNameWithoutExtension).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToList();
            _unreadable = null;
            return names;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A directory that cannot be read says nothing about its certificates: they are kept.
            if (_unreadable != exception.Message) LogUnreadable(directory, exception.Message);
            _unreadable = exception.Message;
            Problems = [$"{directory}: {exception.Message}"];
            return null;
        }
    }

    /// <returns>Whether there is another certificate than before.</returns>
    private bool Look(string name)
    {
        if (!_pairs.TryGetValue(name, out var pair)) _pairs[name] = pair = new Pair();

        var problem = Read(name, pair, out var certificate);
        if (certificate is not null)
        {
            pair.Certificate = certificate;
            LogLoaded(certificate);
        }

        // One of the two may be on its way: only what is still wrong at the next look, or at the first of all, is reported.
        if (problem is not null && problem != pair.Reported && (!_looked || problem == pair.Problem))
        {
            var consequence = pair.Certificate is null ? "its hosts have no certificate" : "the one before it is served";
            LogBad(Path.Combine(directory, name), problem, consequence);
            pair.Reported = problem;
        }

        if (problem is null) pair.Reported = null;
        pair.Problem = problem;
        return certificate is not null;
    }

    private string? Read(string name, Pair pair, out EdgeCertificate? certificate)
    {
        certificate = null;
        var path = Path.Combine(directory, name);
        string[] chains = [.. new[] { $"{path}.crt", $"{path}.pem" }.Where(File.Exists)];
        if (chains.Length == 0) return $"there is no {name}.crt beside {name}.key";
        if (chains.Length > 1) return $"there is {name}.crt and {name}.pem: which is meant?";
        if (!File.Exists($"{path}.key")) return $"there is no {name}.key beside {Path.GetFileName(chains[0])}";

        try
        {
            var stamp = PairStamp.Of(chains[0], $"{path}.key");
            if (stamp == pair.Stamp) return pair.ContentProblem;
            if (Math.Max(stamp.ChainLength, stamp.KeyLength) > Largest) return $"it has more than {Largest} bytes: that is no certificate";

            var chain = File.ReadAllText(chains[0]);
            var key = File.ReadAllText($"{path}.key");
            pair.Stamp = time.GetUtcNow() - stamp.Newest > Coarse ? stamp : null;
            var content = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{chain}\0{key}")));
            if (content == pair.Content) return pair.ContentProblem;

            pair.Content = content;
            if ((stamp.KeyMode & Others) != 0) LogOpenKey($"{path}.key");
            pair.ContentProblem = EdgeCertificate.TryRead(chain, key, chains[0], out certificate, out var problem) ? null : problem;
            return pair.ContentProblem;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            pair.Stamp = null;
            return exception.Message;
        }
    }

    [LoggerMessage(EventId = 3200, Level = LogLevel.Information, Message = "Serving the certificate {Certificate}")]
    private partial void LogLoaded(EdgeCertificate certificate);

    [LoggerMessage(EventId = 3201, Level = LogLevel.Error, Message = "The certificate {Path} cannot be used: {Problem}; {Consequence}")]
    private partial void LogBad(string path, string problem, string consequence);

    [LoggerMessage(EventId = 3202, Level = LogLevel.Information, Message = "The certificate {Name} is gone from {Directory} and not served any more")]
    private partial void LogRemoved(string name, string directory);

    [LoggerMessage(EventId = 3203, Level = LogLevel.Warning, Message = "The key {Path} can be read by others than its owner: chmod 600 it")]
    private partial void LogOpenKey(string path);

    [LoggerMessage(
        EventId = 3204, Level = LogLevel.Error, Message = "The certificates in {Directory} cannot be looked at, and stay as they are: {Problem}")]
    private partial void LogUnreadable(string directory, string problem);

    /// <summary>What is remembered of two files with one name.</summary>
    private sealed class Pair
    {
        /// <summary>Null: to be read again.</summary>
        public PairStamp? Stamp { get; set; }

        /// <summary>A digest of what was read last.</summary>
        public string? Content { get; set; }

        /// <summary>What is wrong with that.</summary>
        public string? ContentProblem { get; set; }

        /// <summary>The last good one.</summary>
        public EdgeCertificate? Certificate { get; set; }

        /// <summary>What was wrong at the last look, a missing file included.</summary>
        public string? Problem { get; set; }

        public string? Reported { get; set; }
    }
}
