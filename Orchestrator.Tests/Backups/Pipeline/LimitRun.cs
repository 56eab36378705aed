using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Tests.Backups.Pipeline;

/// <summary>A process of its own that sends so many pseudo-random bytes through the whole way into a store and back, and says how much memory it had at most.</summary>
internal static class LimitRun
{
    public const string Verb = "limit-run";

    private const int BlockSize = 1 << 20;
    private const int Seed = 42;

    /// <summary>Prints the peak of the resident memory, in bytes, and whether what came back is what went in.</summary>
    public static async Task<int> RunAsync(string directory, long bytes)
    {
        var key = AgeIdentity.Generate();
        var store = new DirectoryStore("disk", directory, TimeProvider.System);
        var repository = new BackupRepository("garden", [store], [key.Recipient], new CopyOptions(), TimeProvider.System, NullLogger<BackupRepository>.Instance);
        var writer = repository.WriterOfSet(BackupSetId.Of(1, DateTimeOffset.UnixEpoch), [], null);
        var stored = await writer.WriteAsync("postgres/base.tar", (output, token) => FillAsync(output, bytes, token), CancellationToken.None);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await repository.Reader([key]).ReadAsync(stored, async (input, token) =>
        {
            var buffer = new byte[BlockSize];
            for (int read; (read = await input.ReadAsync(buffer, token)) > 0;) hash.AppendData(buffer.AsSpan(0, read));
        }, CancellationToken.None);
        var same = stored.PlainBytes == bytes && stored.StoredBytes > bytes && Convert.ToHexStringLower(hash.GetHashAndReset()) == stored.PlainHash;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Peak()} {same}"));
        return 0;
    }

    private static async Task FillAsync(System.IO.Stream output, long bytes, CancellationToken cancellationToken)
    {
        var random = new Random(Seed);
        var block = new byte[BlockSize];
        for (var left = bytes; left > 0; left -= BlockSize)
        {
            random.NextBytes(block);
            await output.WriteAsync(block.AsMemory(0, (int)Math.Min(left, BlockSize)), cancellationToken);
        }
    }

    /// <summary>As the kernel has kept it since the process began.</summary>
    private static long Peak() =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
}
