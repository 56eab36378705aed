using GardenApp.Gardens;
using GardenApp.HotReads;
using GardenApp.Paging;
using GardenApp.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Plants;

/// <summary><c>/api/gardens/{gardenId}/plants</c>: the rights are the garden's.</summary>
internal static class PlantEndpoints
{
    internal static void MapPlants(this IEndpointRouteBuilder routes)
    {
        var plants = routes.MapGroup("/api/gardens/{gardenId:guid}/plants");
        plants.MapGet("", ListAsync);
        plants.MapGet("/{id:guid}", FindAsync);
        plants.MapPost("", CreateAsync);
        plants.MapPut("/{id:guid}", ReplaceAsync);
        plants.MapDelete("/{id:guid}", DeleteAsync);
    }

    private static async Task<Results<Ok<Page<Plant>>, NotFound, ValidationProblem>> ListAsync(
        Guid gardenId, GardenStore gardens, PlantStore plants, CancellationToken cancellationToken, int offset = 0, int limit = 20)
    {
        if (PageRequest.Problems(offset, limit) is { } problems) return TypedResults.ValidationProblem(problems);
        return await gardens.FindAsync(gardenId, cancellationToken) is null
            ? TypedResults.NotFound()
            : TypedResults.Ok(await plants.ListAsync(gardenId, new PageRequest(offset, limit), cancellationToken));
    }

    private static async Task<Results<Ok<Plant>, NotFound>> FindAsync(Guid gardenId, Guid id, PlantStore plants, CancellationToken cancellationToken) =>
        await plants.FindAsync(gardenId, id, cancellationToken) is { } plant ? TypedResults.Ok(plant) : TypedResults.NotFound();

    private static async Task<Results<Created<Plant>, NotFound, ValidationProblem, ProblemHttpResult>> CreateAsync(
        Guid gardenId, PlantRequest request, CurrentUser user, GardenStore gardens, PlantStore plants, ReadCache cache, CancellationToken cancellationToken)
    {
        if (request.Problems() is { } problems) return TypedResults.ValidationProblem(problems);
        if (await gardens.FindAsync(gardenId, cancellationToken) is not { } garden) return TypedResults.NotFound();
        if (!user.MayChange(garden.Owner)) return CurrentUser.NotYours(garden.Owner);
        var plant = await plants.CreateAsync(gardenId, request, cancellationToken);
        // A garden shows how many plants it has.
        await cache.InvalidateAsync(cancellationToken);
        return TypedResults.Created($"/api/gardens/{gardenId}/plants/{plant.Id}", plant);
    }

    private static async Task<Results<Ok<Plant>, NotFound, ValidationProblem, ProblemHttpResult>> ReplaceAsync(
        Guid gardenId, Guid id, PlantRequest request, CurrentUser user, GardenStore gardens, PlantStore plants, CancellationToken cancellationToken)
    {
        if (request.Problems() is { } problems) return TypedResults.ValidationProblem(problems);
        if (await gardens.FindAsync(gardenId, cancellationToken) is not { } garden) return TypedResults.NotFound();
        if (!user.MayChange(garden.Owner)) return CurrentUser.NotYours(garden.Owner);
        return await plants.ReplaceAsync(gardenId, id, request, cancellationToken) is { } plant ? TypedResults.Ok(plant) : TypedResults.NotFound();
    }

    private static async Task<Results<NoContent, NotFound, ProblemHttpResult>> DeleteAsync(
        Guid gardenId, Guid id, CurrentUser user, GardenStore gardens, PlantStore plants, ReadCache cache, CancellationToken cancellationToken)
    {
        if (await gardens.FindAsync(gardenId, cancellationToken) is not { } garden) return TypedResults.NotFound();
        if (!user.MayChange(garden.Owner)) return CurrentUser.NotYours(garden.Owner);
        var deleted = await plants.DeleteAsync(gardenId, id, cancellationToken);
        await cache.InvalidateAsync(cancellationToken);
        return deleted ? TypedResults.NoContent() : TypedResults.NotFound();
    }
}
