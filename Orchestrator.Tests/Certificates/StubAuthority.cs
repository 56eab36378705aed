using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Certificates;
using Orchestrator.Tests.Traffic.Tls;

namespace Orchestrator.Tests.Certificates;

/// <summary>An authority for what the real one for tests never does: it has limits, it wants renewals early, it talks nonsense.</summary>
internal sealed class StubAuthority : IAsyncDisposable
{
    private readonly TestCa _ca = new();
    private readonly WebApplication _application;

    private StubAuthority()
    {
        var (chain, key) = _ca.Issue(TimeSpan.FromDays(1), "127.0.0.1");
        using var leaf = X509Certificate2.CreateFromPem(chain, key);
        var certificate = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null);
        var intermediates = new X509Certificate2Collection();
        intermediates.ImportFromPem(chain);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.ServerCertificateChain = intermediates;
        })));
        _application = builder.Build();
        _application.Use((context, next) =>
        {
            context.Response.Headers["Replay-Nonce"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
            return next();
        });
        _application.MapGet("/dir", () => Results.Content(Directory().ToJsonString(), "application/json"));
        _application.MapMethods("/nonce", ["HEAD"], () => Results.Ok());
        _application.MapPost("/account", (HttpContext context) => Created(context, "/account/1", "{}"));
        _application.MapPost("/order", async (HttpContext context) =>
        {
            Orders.Enqueue(await PayloadAsync(context));
            context.Response.Headers.RetryAfter = "7200";
            return Results.Content(OrderAnswer, "application/problem+json", Encoding.UTF8, OrderStatus);
        });
        _application.MapGet("/renewal/{id}", (string id) =>
        {
            Asked.Enqueue(id);
            return Results.Content(RenewalAnswer, "application/json");
        });
    }

    public string OrderAnswer { get; set; } = """{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many\ncertificates\u001b[31m for this week"}""";

    public int OrderStatus { get; set; } = 429;

    public string RenewalAnswer { get; set; } = "{}";

    /// <summary>What was ordered.</summary>
    public ConcurrentQueue<JsonNode> Orders { get; } = [];

    /// <summary>Certificates that it was asked about.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    public AcmeSettings Settings => new() { Directory = new Uri($"{Address}/dir"), TermsAgreed = true, Roots = [_ca.Root] };

    private string Address => _application.Urls.Single();

    public static async Task<StubAuthority> StartAsync()
    {
        var authority = new StubAuthority();
        await authority._application.StartAsync();
        return authority;
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private JsonObject Directory() => new()
    {
        ["newNonce"] = $"{Address}/nonce",
        ["newAccount"] = $"{Address}/account",
        ["newOrder"] = $"{Address}/order",
        ["renewalInfo"] = $"{Address}/renewal/",
    };

    private static IResult Created(HttpContext context, string place, string body)
    {
        context.Response.Headers.Location = place;
        return Results.Content(body, "application/json", Encoding.UTF8, 201);
    }

    private static async Task<JsonNode> PayloadAsync(HttpContext context)
    {
        var envelope = await JsonNode.ParseAsync(context.Request.Body);
        return JsonNode.Parse(Base64Url.DecodeFromChars(envelope!["payload"]!.GetValue<string>()))!;
    }
}
