using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;

namespace GardenApp.Validation;

/// <summary>A request that could not even be read says where it broke, in the same form as every other problem.</summary>
internal sealed class BadRequestHandler : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not BadHttpRequestException bad) return false;
        var detail = bad.InnerException is JsonException json ? $"The JSON does not fit at {json.Path}, line {json.LineNumber + 1}." : bad.Message;
        await TypedResults.Problem(detail, statusCode: bad.StatusCode).ExecuteAsync(httpContext);
        return true;
    }
}
