using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Traffic.Files;

/// <summary>Serves the files of a route's folders: as a whole, in part, or not at all when the client has them (RFC 9110, sections 13 and 14).</summary>
internal sealed class StaticFiles(ImmutableArray<StaticFolder> folders)
{
    private static readonly FileExtensionContentTypeProvider Types = new();

    // The longest path first.
    private readonly ImmutableArray<StaticFolder> _folders = [.. folders.OrderByDescending(folder => folder.Path.Length)];

    /// <returns>False: the request is the application's, and nothing was answered.</returns>
    public async ValueTask<bool> TryServeAsync(EdgeExchange exchange)
    {
        var request = exchange.Context.Request;
        if (!(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) || Find(request.Path.Value ?? "") is not { } folder)
            return false;

        using var file = NameOf(request.Path.Value ?? "", folder) is { } name ? HostFile.Open(folder.Root, folder.Directory, name) : null;
        if (file is not null)
            await SendAsync(exchange, folder, file);
        else if (folder.Fallback)
            return false;
        else
            await OwnAnswers.WriteAsync(exchange, OwnAnswer.NoFile);
        return true;
    }

    private StaticFolder? Find(string path)
    {
        foreach (var folder in _folders)
        {
            if (path.StartsWith(folder.Path, StringComparison.Ordinal) && path.Length > folder.Path.Length && path[folder.Path.Length] == '/')
                return folder;
        }

        return null;
    }

    // Hidden files, and whatever could be read as a step aside, have no name here. What is encoded twice was not decoded: it is part of a name.
    private static string? NameOf(string path, StaticFolder folder)
    {
        var name = path[(folder.Path.Length + 1)..];
        foreach (var range in name.AsSpan().Split('/'))
        {
            var segment = name.AsSpan()[range];
            if (segment.IsEmpty || segment[0] == '.' || segment.Contains('\0') || segment.Contains('\\') || segment.Contains("%2f", StringComparison.OrdinalIgnoreCase))
                return null;
        }

        return name;
    }

    private static async Task SendAsync(EdgeExchange exchange, StaticFolder folder, HostFile file)
    {
        var context = exchange.Context;
        var response = context.Response;
        var modified = file.Modified.AddTicks(-(file.Modified.Ticks % TimeSpan.TicksPerSecond));
        var tag = new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{file.Modified.Ticks:x}-{file.Length:x}\""));
        var headers = response.GetTypedHeaders();
        headers.ETag = tag;
        headers.LastModified = modified;
        response.Headers.AcceptRanges = "bytes";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = folder.Cache > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $"public, max-age={(long)folder.Cache.TotalSeconds}") : "no-cache";
        exchange.Target?.Rules?.Policy.Headers?.Apply(response, exchange.Client.IsHttps);

        var conditions = new FileConditions(context.Request.GetTypedHeaders(), HttpMethods.IsGet(context.Request.Method), tag, modified, file.Length);
        response.StatusCode = conditions.Status;
        if (conditions.Status == StatusCodes.Status416RangeNotSatisfiable)
            headers.ContentRange = new ContentRangeHeaderValue(file.Length);
        if (conditions.Status is not (StatusCodes.Status200OK or StatusCodes.Status206PartialContent))
            return;

        response.ContentType = Types.TryGetContentType(context.Request.Path.Value ?? "", out var type) ? type : "application/octet-stream";
        response.ContentLength = conditions.Length;
        if (conditions.Status == StatusCodes.Status206PartialContent)
            headers.ContentRange = new ContentRangeHeaderValue(conditions.From, conditions.From + conditions.Length - 1, file.Length);
        if (!HttpMethods.IsHead(context.Request.Method))
            await CopyAsync(context, file, conditions.From, conditions.Length);
    }

    private static async Task CopyAsync(HttpContext context, HostFile file, long offset, long count)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            while (count > 0)
            {
                var read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(count, buffer.Length)), offset, context.RequestAborted);
                if (read == 0)
                {
                    // Cut while it was sent: the promised length cannot be kept.
                    context.Abort();
                    return;
                }

                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
                offset += read;
                count -= read;
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has seen enough.
            return;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
