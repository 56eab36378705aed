using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Secrets;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>
/// Secrets and configurations of a stack, as read-only files in its containers. A file of the host is mounted as it is; other content, and secrets
/// kept by the daemon, are laid down in a directory that only the daemon's user can enter.
/// </summary>
public sealed class GrantedFiles(SecretStore secrets, SecretFiles files)
{
    public async Task<ImmutableArray<MountSpec>> MountsAsync(Release release, ServiceSpec spec, CancellationToken cancellationToken)
    {
        var mounts = ImmutableArray.CreateBuilder<MountSpec>();
        foreach (var grant in spec.Container.Secrets) mounts.Add(await MountAsync(release, release.Stack.Secrets, grant, cancellationToken));
        foreach (var grant in spec.Container.Configs) mounts.Add(await MountAsync(release, release.Stack.Configs, grant, cancellationToken));
        return mounts.ToImmutable();
    }

    /// <summary>Keeps the values of variables that the applied file takes secrets from: the stack itself never holds them.</summary>
    public async Task KeepAsync(Stack stack, ImmutableDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        foreach (var item in stack.Secrets.Concat(stack.Configs))
        {
            if (item.EnvironmentVariable is not { } variable || !environment.TryGetValue(variable, out var text)) continue;

            var value = new Secret(text);
            if (!value.Equals(await secrets.FindAsync(stack.Name, item.Name, null, cancellationToken))) await secrets.SetAsync(stack.Name, item.Name, value, cancellationToken);
        }
    }

    /// <summary>Names of secrets and configurations that have no content.</summary>
    public async Task<ImmutableArray<string>> MissingAsync(Stack stack, CancellationToken cancellationToken)
    {
        var stored = await secrets.CurrentAsync(stack.Name, cancellationToken);
        return [.. stack.Secrets.Concat(stack.Configs).Where(item => !HasContent(item, stored)).Select(item => item.Name)];
    }

    /// <summary>The versions of the stored secrets that the stack gets now; the release keeps them.</summary>
    public async Task<ImmutableSortedDictionary<string, int>> VersionsAsync(Stack stack, CancellationToken cancellationToken)
    {
        var used = stack.Secrets.Concat(stack.Configs).Where(IsStored).Select(item => item.Name).ToHashSet();
        var stored = await secrets.CurrentAsync(stack.Name, cancellationToken);
        return stored.Where(pair => used.Contains(pair.Key)).ToImmutableSortedDictionary();
    }

    /// <summary>
    /// What tells one content of a secret or configuration from another: the version of a stored one, else a hash. A service whose secret has
    /// changed is made anew, though not a word of the file did.
    /// </summary>
    /// <returns><c>secrets.KEY</c> or <c>configs.KEY</c> → that text.</returns>
    public static async Task<ImmutableSortedDictionary<string, string>> ContentsAsync(
        Stack stack, ImmutableSortedDictionary<string, int> versions, CancellationToken cancellationToken)
    {
        var contents = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var item in stack.Secrets) contents[$"secrets.{item.Key}"] = await ContentAsync(item, versions, cancellationToken);
        foreach (var item in stack.Configs) contents[$"configs.{item.Key}"] = await ContentAsync(item, versions, cancellationToken);
        return contents.ToImmutable();
    }

    private static async Task<string> ContentAsync(FileObjectSpec item, ImmutableSortedDictionary<string, int> versions, CancellationToken cancellationToken)
    {
        if (item.Content is { } content) return $"content {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";
        if (IsStored(item)) return $"version {versions.GetValueOrDefault(item.Name)}";

        try
        {
            await using var file = File.OpenRead(item.File ?? "");
            return $"file {Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken))}";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "unreadable";       // the engine mounts it all the same, or says why it cannot
        }
    }

    private static bool HasContent(FileObjectSpec item, ImmutableSortedDictionary<string, int> stored) =>
        item.Content is not null || (IsStored(item) ? stored.ContainsKey(item.Name) : File.Exists(item.File));

    /// <summary>External ones were set by <c>basmalin secret set</c>; those from a variable were stored when the file was applied.</summary>
    private static bool IsStored(FileObjectSpec item) => item.External || item.EnvironmentVariable is not null;

    private async Task<MountSpec> MountAsync(Release release, ImmutableArray<FileObjectSpec> objects, FileGrant grant, CancellationToken cancellationToken)
    {
        var item = objects.First(candidate => candidate.Key == grant.Key);
        var source = item.File ?? files.Materialise(release.Stack.Name, item.Key, await ContentAsync(release, item, cancellationToken), grant.Mode, OwnerOf(grant));
        return new(MountKind.Bind, source, grant.Target, ReadOnly: true, CreateHostPath: false);
    }

    private async Task<Secret> ContentAsync(Release release, FileObjectSpec item, CancellationToken cancellationToken)
    {
        if (item.Content is { } content) return new(content);
        var version = release.SecretVersions.TryGetValue(item.Name, out var kept) ? kept : (int?)null;
        return await secrets.FindAsync(release.Stack.Name, item.Name, version, cancellationToken)
            ?? throw new InvalidOperationException($"The secret {item.Name}, version {version}, is no longer kept.");
    }

    private static FileOwner? OwnerOf(FileGrant grant) =>
        uint.TryParse(grant.Uid, CultureInfo.InvariantCulture, out var uid) | uint.TryParse(grant.Gid, CultureInfo.InvariantCulture, out var gid) ? new(uid, gid) : null;
}
