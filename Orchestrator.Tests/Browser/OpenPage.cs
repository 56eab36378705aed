using Microsoft.Playwright;

namespace Orchestrator.Tests.Browser;

/// <summary>A page that remembers everything a browser complains about: errors, refused resources, violations of the content policy, requests to other hosts.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly List<string> _complaints = [];
    private readonly IBrowserContext _context;

    private OpenPage(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    public IPage Page { get; }

    /// <summary>Addresses that were asked for on other hosts than the daemon's.</summary>
    public List<string> Outside { get; } = [];

    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints) return [.. _complaints];
        }
    }

    public static async Task<OpenPage> OnAsync(Uri daemon, int width = 1280, ColorScheme scheme = ColorScheme.Light, bool javaScript = true)
    {
        var context = await BrowserSetUp.Browser.NewContextAsync(new()
        {
            BaseURL = daemon.ToString(),
            ViewportSize = new() { Width = width, Height = 900 },
            ColorScheme = scheme,
            JavaScriptEnabled = javaScript,
            TimezoneId = "Europe/Belgrade",
        });
        var page = await context.NewPageAsync();
        var open = new OpenPage(context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") open.Complain($"{message.Type}: {message.Text}");
        };
        page.PageError += (_, error) => open.Complain($"thrown: {error}");
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { Scheme: "http" or "https" } url && url.Authority != daemon.Authority) open.Outside.Add(request.Url);
        };
        return open;
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    private void Complain(string complaint)
    {
        lock (_complaints) _complaints.Add(complaint);
    }
}
