using GardenApp.Paging;
using GardenApp.Sessions;
using GardenApp.Validation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace GardenApp.Uploads;

/// <summary><c>/api/uploads</c>: the body of the POST is the file, its name is in the query. Uploads belong to who sent them.</summary>
internal static class UploadEndpoints
{
    internal static void MapUploads(this IEndpointRouteBuilder routes)
    {
        var uploads = routes.MapGroup("/api/uploads");
        // The limit is ours, so that what is too large is told so with a problem, not with a cut connection.
        uploads.MapPost("", CreateAsync).WithMetadata(new Playground.UnlimitedBody());
        uploads.MapGet("", ListAsync);
        uploads.MapGet("/{id:guid}", DownloadAsync);
        uploads.MapDelete("/{id:guid}", DeleteAsync);
    }

    private static async Task<Results<Created<Upload>, ValidationProblem, ProblemHttpResult>> CreateAsync(
        HttpRequest request, CurrentUser user, [FromServices] UploadDesk desk, CancellationToken cancellationToken, string? name = null, Guid? gardenId = null)
    {
        var contentType = request.ContentType ?? "application/octet-stream";
        var problems = new ProblemList()
            .Text("name", name, required: true, longest: 255)
            .When(name?.Any(c => c is '/' or '\\' || char.IsControl(c)) == true || name is "." or "..", "name", "must be a plain file name")
            .When(contentType.Length > 255, "content-type", "has at most 255 characters")
            .Found;
        if (problems is not null) return TypedResults.ValidationProblem(problems);
        if (request.ContentLength > desk.Largest) return TooLarge(desk.Largest);

        return await desk.ReceiveAsync(user.Name, name ?? "", contentType, gardenId, request.Body, cancellationToken) switch
        {
            Received.Stored { Upload: var upload } => TypedResults.Created($"/api/uploads/{upload.Id}", upload),
            Received.NoSuchGarden => TypedResults.ValidationProblem(new Dictionary<string, string[]> { ["gardenId"] = ["there is no such garden"] }),
            _ => TooLarge(desk.Largest),
        };
    }

    private static async Task<Results<Ok<Page<Upload>>, ValidationProblem>> ListAsync(
        CurrentUser user, UploadStore store, CancellationToken cancellationToken, int offset = 0, int limit = 20)
    {
        if (PageRequest.Problems(offset, limit) is { } problems) return TypedResults.ValidationProblem(problems);
        return TypedResults.Ok(await store.ListAsync(user.Name, new PageRequest(offset, limit), cancellationToken));
    }

    private static async Task<Results<FileStreamHttpResult, NotFound, ProblemHttpResult>> DownloadAsync(
        Guid id, HttpContext context, UploadStore store, UploadFiles files, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken) is not { } upload) return TypedResults.NotFound();
        if (files.OpenRead(id) is not { } file)
            return TypedResults.Problem("The volume does not have this file.", statusCode: StatusCodes.Status500InternalServerError);
        // Whatever it is, the browser must not run it as part of this site.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "sandbox";
        return TypedResults.File(file, upload.ContentType, upload.FileName, upload.CreatedAt,
            new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{upload.Sha256}\""), enableRangeProcessing: true);
    }

    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> DeleteAsync(
        Guid id, CurrentUser user, UploadStore store, UploadFiles files, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken) is not { } upload) return TypedResults.NotFound();
        if (!user.MayChange(upload.Owner)) return CurrentUser.NotYours(upload.Owner);
        var deleted = await store.DeleteAsync(id, cancellationToken);
        files.Delete(id);
        return deleted ? TypedResults.NoContent() : TypedResults.NotFound();
    }

    private static ProblemHttpResult TooLarge(long largest) =>
        TypedResults.Problem($"An upload has at most {largest} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge);
}
