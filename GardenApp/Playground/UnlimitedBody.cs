using Microsoft.AspNetCore.Http.Metadata;

namespace GardenApp.Playground;

/// <summary>Lifts the server's limit on the request body where the body is streamed and never kept.</summary>
internal sealed class UnlimitedBody : IRequestSizeLimitMetadata
{
    public long? MaxRequestBodySize => null;
}
