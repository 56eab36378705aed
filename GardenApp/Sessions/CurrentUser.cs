using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Sessions;

/// <summary>Who makes this request. Put on the request by <see cref="SessionMiddleware"/>, bound by endpoints that ask for it.</summary>
internal sealed record CurrentUser(string Name)
{
    /// <summary>Whoever has no session.</summary>
    internal static readonly CurrentUser Guest = new("guest");

    internal bool MayChange(string owner) => owner == Name || owner == Guest.Name;

    internal static ProblemHttpResult NotYours(string owner) =>
        TypedResults.Problem($"Only {owner} may change this.", statusCode: StatusCodes.Status403Forbidden);

    public static ValueTask<CurrentUser> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.Get<CurrentUser>() ?? Guest);
}
