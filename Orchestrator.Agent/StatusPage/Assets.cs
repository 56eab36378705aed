using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Orchestrator.Agent.StatusPage;

/// <summary>
/// The page's files, out of the assembly. Their address holds a hash of all of them, so a browser may keep them for ever, and a new daemon
/// is asked for new ones.
/// </summary>
internal sealed class Assets
{
    private const string Prefix = "Orchestrator.Agent.StatusPage.assets.";

    private readonly FrozenDictionary<string, Asset> _files;

    public Assets()
    {
        var assembly = typeof(Assets).Assembly;
        _files = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(name => name[Prefix.Length..], name => Read(assembly.GetManifestResourceStream(name), name), StringComparer.Ordinal);
        Bundle = Hash(Encoding.UTF8.GetBytes(string.Join('\n', Names.Select(name => $"{name} {_files[name].Hash}"))));
    }

    public string Bundle { get; }

    public ImmutableArray<string> Names => [.. _files.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Answers with a file, or with 304 where the browser has it.</summary>
    public IResult Serve(HttpContext context, string bundle, string name)
    {
        if (!_files.TryGetValue(name, out var file)) return Results.NotFound();

        // An address of another daemon's page gets this one's file, but must not be kept under that name.
        context.Response.Headers.CacheControl = bundle == Bundle ? "public, max-age=31536000, immutable" : "no-cache";
        return Results.Bytes(file.Content, file.Type, entityTag: new EntityTagHeaderValue($"\"{file.Hash}\""));
    }

    private static Asset Read(Stream? stream, string name)
    {
        using var content = stream ?? throw new InvalidOperationException($"{name} is not in the assembly.");
        using var copy = new MemoryStream();
        content.CopyTo(copy);
        var bytes = copy.ToArray();
        return new Asset(bytes, TypeOf(name), Hash(bytes));
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..16];

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".woff2" => "font/woff2",
        _ => "text/plain; charset=utf-8",
    };

    private sealed record Asset(byte[] Content, string Type, string Hash);
}
