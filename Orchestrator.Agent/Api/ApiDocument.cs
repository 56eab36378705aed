using Microsoft.OpenApi;
using Orchestrator.Access;
using Orchestrator.Agent.Auth;

namespace Orchestrator.Agent.Api;

/// <summary>The OpenAPI document, at <c>/openapi/v1.json</c> and committed as <c>docs/openapi.json</c>.</summary>
internal static class ApiDocument
{
    private const string Scheme = "token";

    public static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", document =>
    {
        document.AddDocumentTransformer((content, _, _) =>
        {
            content.Info = new OpenApiInfo
            {
                Title = "BasMalin",
                Version = "v1",
                Description = "Runs Compose files on Docker and replaces their services without losing a request. Every problem is application/problem+json with reason and hint.",
            };
            content.Servers = [];
            content.Components ??= new OpenApiComponents();
            content.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Scheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "Made with: basmalin token create. The unix socket needs none." },
            };
            return Task.CompletedTask;
        });
        document.AddOperationTransformer((operation, context, _) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            if (!metadata.OfType<OpenAccess>().Any())
            {
                var scope = (metadata.OfType<ScopeRequirement>().LastOrDefault() ?? ScopeRequirement.Strictest).Scope;
                operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [] }];
                operation.Extensions ??= new Dictionary<string, IOpenApiExtension>();
                operation.Extensions["x-scope"] = new JsonNodeExtension(Words.Of(scope));
            }

            if (metadata.OfType<IdempotencyKeyHeader>().Any())
            {
                operation.Parameters ??= [];
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = IdempotencyKeyHeader.Name,
                    In = ParameterLocation.Header,
                    Description = "The same key twice within 30 days is one deployment; at most 200 characters.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                });
            }

            return Task.CompletedTask;
        });
    });

    public static void MapApiDocument(this IEndpointRouteBuilder routes) => routes.MapOpenApi("/openapi/{documentName}.json").RequireScopeEverywhere(TokenScope.Read);
}
