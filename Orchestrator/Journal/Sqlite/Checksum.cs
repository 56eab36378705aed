using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Journal.Sqlite;

/// <summary>SHA-256 over a row's key and content: a row that was copied to another key is as wrong as one that was torn.</summary>
internal static class Checksum
{
    public static byte[] Of(string table, string stack, long number, string content) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{table}\n{stack}\n{number}\n{content}"));

    public static bool Fits(byte[] checksum, string table, string stack, long number, string content) =>
        checksum.AsSpan().SequenceEqual(Of(table, stack, number, content));
}
