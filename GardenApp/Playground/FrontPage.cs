using GardenApp.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Playground;

/// <summary>The page that shows at a glance which version is live.</summary>
internal static class FrontPage
{
    internal static ContentHttpResult Show(GardenSettings settings)
    {
        var version = System.Net.WebUtility.HtmlEncode(settings.Version);
        var colour = ColourOf(settings.Version);
        return TypedResults.Content($$"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>Baš-Malin {{version}}</title>
            <style>
              body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1f2328; }
              header { padding: 2.5rem 1.5rem; background: {{colour}}; color: #fff; }
              h1 { margin: 0; font-size: 2.5rem; }
              main { padding: 1.5rem; }
              code { background: #eff1f3; padding: .1em .3em; border-radius: 4px; }
            </style>
            <header><h1>Baš-Malin {{version}}</h1><p>served by <code style="color:#1f2328">{{System.Net.WebUtility.HtmlEncode(Environment.MachineName)}}</code></p></header>
            <main>
              <p>Gardens at <a href="/api/gardens"><code>/api/gardens</code></a>, health at <a href="/api/health"><code>/api/health</code></a>,
              metrics at <a href="/api/metrics"><code>/api/metrics</code></a>, version at <a href="/version"><code>/version</code></a>.</p>
            </main>
            </html>

            """, "text/html; charset=utf-8");
    }

    // Blue, then green: neighbouring major versions never look alike.
    private static string ColourOf(string version) => version.Split('.')[0] switch
    {
        "1" => "#0b5cad",
        "2" => "#1a7f37",
        "3" => "#9a3412",
        _ => "#6e40c9",
    };
}
