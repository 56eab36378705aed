using System.Collections.Immutable;
using GardenApp.Gardens;
using GardenApp.Paging;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Insights;

/// <summary><c>/api/gardens/{gardenId}/insights</c>: POST asks for new ones, GET lists what was said.</summary>
internal static class InsightEndpoints
{
    internal static void MapInsights(this IEndpointRouteBuilder routes)
    {
        var insights = routes.MapGroup("/api/gardens/{gardenId:guid}/insights");
        insights.MapPost("", CreateAsync);
        insights.MapGet("", ListAsync);
    }

    private static async Task<Results<Created<ImmutableArray<Insight>>, NotFound>> CreateAsync(
        Guid gardenId, SnapshotReader snapshots, Adviser adviser, InsightStore insights, CancellationToken cancellationToken)
    {
        if (await snapshots.ReadAsync(gardenId, cancellationToken) is not { } snapshot) return TypedResults.NotFound();
        var (provider, findings) = await adviser.AdviseAsync(snapshot, cancellationToken);
        return TypedResults.Created($"/api/gardens/{gardenId}/insights", await insights.AddAsync(gardenId, provider, findings, cancellationToken));
    }

    private static async Task<Results<Ok<Page<Insight>>, NotFound, ValidationProblem>> ListAsync(
        Guid gardenId, GardenStore gardens, InsightStore insights, CancellationToken cancellationToken, int offset = 0, int limit = 20)
    {
        if (PageRequest.Problems(offset, limit) is { } problems) return TypedResults.ValidationProblem(problems);
        return await gardens.FindAsync(gardenId, cancellationToken) is null
            ? TypedResults.NotFound()
            : TypedResults.Ok(await insights.ListAsync(gardenId, new PageRequest(offset, limit), cancellationToken));
    }
}
