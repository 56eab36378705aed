using System.Globalization;
using GardenApp.HotReads;
using GardenApp.Paging;
using GardenApp.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Gardens;

/// <summary><c>/api/gardens</c>: everybody reads, the owner writes; a guest's garden is everybody's.</summary>
internal static class GardenEndpoints
{
    internal static void MapGardens(this IEndpointRouteBuilder routes)
    {
        var gardens = routes.MapGroup("/api/gardens");
        gardens.MapGet("", ListAsync);
        gardens.MapGet("/{id:guid}", FindAsync);
        gardens.MapPost("", CreateAsync);
        gardens.MapPut("/{id:guid}", ReplaceAsync);
        gardens.MapDelete("/{id:guid}", DeleteAsync);
    }

    private static async Task<Results<JsonBody, ValidationProblem>> ListAsync(
        GardenStore store, ReadCache cache, CancellationToken cancellationToken, string? owner = null, int offset = 0, int limit = 20)
    {
        if (PageRequest.Problems(offset, limit) is { } problems) return TypedResults.ValidationProblem(problems);
        if (owner is not null && !UserName.IsValid(owner)) return TypedResults.ValidationProblem(new Dictionary<string, string[]> { ["owner"] = [UserName.Rule] });
        var key = string.Create(CultureInfo.InvariantCulture, $"gardens:{offset}:{limit}:{owner}");
        return new JsonBody(await cache.ReadAsync(key, GardenJson.Wire.PageGarden,
            async () => await store.ListAsync(owner, new PageRequest(offset, limit), cancellationToken), cancellationToken));
    }

    private static async Task<JsonBody> FindAsync(Guid id, GardenStore store, ReadCache cache, CancellationToken cancellationToken) =>
        new(await cache.ReadAsync($"garden:{id}", GardenJson.Wire.Garden, () => store.FindAsync(id, cancellationToken), cancellationToken));

    private static async Task<Results<Created<Garden>, ValidationProblem>> CreateAsync(
        GardenRequest request, CurrentUser user, GardenStore store, ReadCache cache, CancellationToken cancellationToken)
    {
        if (request.Problems() is { } problems) return TypedResults.ValidationProblem(problems);
        var garden = await store.CreateAsync(user.Name, request, cancellationToken);
        await cache.InvalidateAsync(cancellationToken);
        return TypedResults.Created($"/api/gardens/{garden.Id}", garden);
    }

    private static async Task<Results<Ok<Garden>, NotFound, ValidationProblem, ProblemHttpResult>> ReplaceAsync(
        Guid id, GardenRequest request, CurrentUser user, GardenStore store, ReadCache cache, CancellationToken cancellationToken)
    {
        if (request.Problems() is { } problems) return TypedResults.ValidationProblem(problems);
        if (await store.FindAsync(id, cancellationToken) is not { } before) return TypedResults.NotFound();
        if (!user.MayChange(before.Owner)) return CurrentUser.NotYours(before.Owner);
        var garden = await store.ReplaceAsync(id, request, cancellationToken);
        await cache.InvalidateAsync(cancellationToken);
        return garden is null ? TypedResults.NotFound() : TypedResults.Ok(garden);
    }

    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> DeleteAsync(
        Guid id, CurrentUser user, GardenStore store, ReadCache cache, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken) is not { } before) return TypedResults.NotFound();
        if (!user.MayChange(before.Owner)) return CurrentUser.NotYours(before.Owner);
        var deleted = await store.DeleteAsync(id, cancellationToken);
        await cache.InvalidateAsync(cancellationToken);
        return deleted ? TypedResults.NoContent() : TypedResults.NotFound();
    }
}
