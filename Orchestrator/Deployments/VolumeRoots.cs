using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Stacks;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Files;

namespace Orchestrator.Deployments;

/// <summary>Where the volumes lie whose files a route serves.</summary>
public sealed partial class VolumeRoots(IContainerEngine engine, ILogger<VolumeRoots> logger)
{
    /// <summary>Adds their files to the routes. What cannot be found or read here is left to the application, and named in the log.</summary>
    public async Task<ImmutableArray<Route>> WithFilesAsync(Stack stack, ImmutableArray<Route> routes, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, ImmutableArray<StaticFolder>>(StringComparer.Ordinal);
        foreach (var spec in stack.Services)
        {
            if (spec.BasMalin?.Route is { Static.IsEmpty: false } route) found[spec.Name] = await FoldersAsync(stack, route, cancellationToken);
        }

        return found.Count == 0 ? routes : [.. routes.Select(route => found.TryGetValue(route.Service, out var folders) && !folders.IsEmpty
            ? route with { Policy = (route.Policy ?? new()) with { Static = folders } }
            : route)];
    }

    private async Task<ImmutableArray<StaticFolder>> FoldersAsync(Stack stack, RouteSpec route, CancellationToken cancellationToken)
    {
        var folders = ImmutableArray.CreateBuilder<StaticFolder>();
        foreach (var folder in route.Static)
        {
            var name = stack.Volumes.FirstOrDefault(volume => volume.Key == folder.Volume)?.Name ?? folder.Volume;
            if (await RootAsync(name, cancellationToken) is { } root) folders.Add(new(folder.Path, root, folder.Directory, folder.Cache, folder.Fallback));
            else LogNotReadable(stack.Name, folder.Path, name);
        }

        return folders.ToImmutable();
    }

    private async Task<string?> RootAsync(string volume, CancellationToken cancellationToken)
    {
        try
        {
            return await engine.FindVolumeDirectoryAsync(volume, cancellationToken) is { } root && Directory.Exists(root) ? root : null;
        }
        catch (EngineException lost)
        {
            LogNotFound(volume, lost.Message);
            return null;
        }
    }

    [LoggerMessage(EventId = 2560, Level = LogLevel.Warning,
        Message = "Stack {Stack}: {Path} is left to the application: the directory of the volume {Volume} cannot be read here (another machine, or not the daemon's to read)")]
    private partial void LogNotReadable(string stack, string path, string volume);

    [LoggerMessage(EventId = 2561, Level = LogLevel.Warning, Message = "Where the volume {Volume} lies could not be asked: {Problem}")]
    private partial void LogNotFound(string volume, string problem);
}
