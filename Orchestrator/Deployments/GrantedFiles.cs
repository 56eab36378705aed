using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Secrets and configurations of a stack, as read-only files in its containers.</summary>
/// <param name="directory">Where content that is no file of the host's is laid down; only the daemon's user can enter it.</param>
public sealed class GrantedFiles(string directory)
{
    public async Task<ImmutableArray<MountSpec>> MountsAsync(Release release, ServiceSpec spec, CancellationToken cancellationToken)
    {
        var mounts = ImmutableArray.CreateBuilder<MountSpec>();
        foreach (var grant in spec.Container.Secrets) mounts.Add(await MountAsync(release, release.Stack.Secrets, grant, cancellationToken));
        foreach (var grant in spec.Container.Configs) mounts.Add(await MountAsync(release, release.Stack.Configs, grant, cancellationToken));
        return mounts.ToImmutable();
    }

    /// <summary>Names of secrets and configurations that have no content.</summary>
    public Task<ImmutableArray<string>> MissingAsync(Stack stack, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return Task.FromResult<ImmutableArray<string>>([.. stack.Secrets.Concat(stack.Configs).Where(item => item.Content is null && !File.Exists(item.File)).Select(item => item.Name)]);
    }

    private async Task<MountSpec> MountAsync(Release release, ImmutableArray<FileObjectSpec> objects, FileGrant grant, CancellationToken cancellationToken)
    {
        var item = objects.First(candidate => candidate.Key == grant.Key);
        var source = item.File ?? await LayDownAsync(release.Stack.Name, item, grant, cancellationToken);
        return new(MountKind.Bind, source, grant.Target, ReadOnly: true, CreateHostPath: false);
    }

    /// <summary>Named by its content, so that a release that is brought back finds its own.</summary>
    private async Task<string> LayDownAsync(string stack, FileObjectSpec item, FileGrant grant, CancellationToken cancellationToken)
    {
        var content = Encoding.UTF8.GetBytes(item.Content ?? "");
        var home = Directory.CreateDirectory(Path.Combine(directory, stack), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var path = Path.Combine(home.FullName, $"{item.Key}.{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}");
        if (File.Exists(path)) return path;

        var part = $"{path}.{Guid.CreateVersion7():N}";
        await File.WriteAllBytesAsync(part, content, cancellationToken);
        File.SetUnixFileMode(part, (UnixFileMode)(grant.Mode & 0b111_111_111));
        File.Move(part, path, overwrite: true);
        return path;
    }
}
