using Orchestrator.Agent.Api;
using Orchestrator.Agent.Auth;
using Orchestrator.Agent.StatusPage;
using Prometheus;

namespace Orchestrator.Agent.Hosting;

/// <summary>What happens to a request on the admin listeners, in order.</summary>
internal static class AdminPipeline
{
    public static void Map(WebApplication app)
    {
        app.Use(SecurityHeaders.ApplyAsync);
        app.UseMiddleware<ProblemMiddleware>();
        app.UseRouting();
        app.UseMiddleware<AccessMiddleware>();

        app.MapHealth();
        app.MapLogin();
        app.MapStatusPage();
        app.MapWebhook();
        app.MapApiDocument();
        app.MapMetrics().RequireScopeEverywhere(Access.TokenScope.Read);

        var api = app.MapGroup("/api/v1").Problems();
        api.MapStacks();
        api.MapPauses();
        api.MapHealing();
        api.MapDeployments();
        api.MapBackups();
        api.MapBackupKeys();
        api.MapRestores();
        api.MapOperations();
        api.MapLogs();
        api.MapWebhookSettings();
        api.MapAccess();
        api.MapDaemon();
    }
}
