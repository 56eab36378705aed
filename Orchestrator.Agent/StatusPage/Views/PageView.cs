using System.Collections.Immutable;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>The pages as a whole.</summary>
internal static class PageView
{
    public static Html Status(PageFrame frame, Visitor visitor, Html board) => Document(frame, "BasMalin", Html.Of($"""
        <header class="top">
        <a class="brand" href="/"><img src="{frame.Asset("favicon.svg")}" alt="" width="24" height="24" />BasMalin</a>
        <span id="link" class="pill tone-quiet" role="status">not live</span>
        <form method="post" action="/logout" class="who"><span>{visitor.Name}</span> <button type="submit">Log out</button></form>
        </header>
        <noscript><p class="notice">Without JavaScript this page shows how things were when it was loaded, and its buttons do nothing.
        The command line does all of it: <code>basmalin status</code>.</p></noscript>
        <p id="notice" class="notice" role="status" hidden=""></p>
        {board}
        <footer><p>BasMalin <span title="{frame.Build}">{frame.ShortBuild}</span> on {frame.Machine}</p></footer>
        <script src="{frame.Asset("uplot.js")}" defer=""></script>
        <script src="{frame.Asset("status.js")}" type="module"></script>
        """));

    /// <summary>All stacks; the element <c>board</c>.</summary>
    public static Html Board(Board board, ImmutableArray<(StackBoard Stack, ImmutableArray<Piece> Pieces)> stacks) => Html.Of($"""
        <main id="board">
        {Overview(board, [.. stacks.Select(stack => stack.Stack)]).Markup}
        {(stacks.IsEmpty && board.Problem is null ? Nothing() : Html.Empty)}
        {stacks.Select(stack => StackView.Render(stack.Stack.Status.Stack, stack.Pieces))}
        </main>
        """);

    public static Piece Overview(Board board, ImmutableArray<StackBoard> stacks) => new("overview", Html.Of($"""
        <div id="overview">
        {(board.Problem is { } problem ? Stale(board, problem) : Html.Empty)}
        {(stacks.Length < 2 ? Html.Empty : Html.Of($"""<nav aria-label="Stacks"><ul class="overview">{stacks.Select(Link)}</ul></nav>"""))}
        </div>
        """));

    /// <param name="problem">Why the form is shown again; null: for the first time.</param>
    public static Html LogIn(PageFrame frame, string? problem) => Document(frame, "BasMalin: log in", Html.Of($"""
        <main class="login">
        <h1><img src="{frame.Asset("favicon.svg")}" alt="" width="32" height="32" />BasMalin</h1>
        <form method="post" action="/login" autocomplete="off">
        <label for="token">Token</label>
        <input id="token" name="token" type="password" required="" autofocus="" autocapitalize="off" spellcheck="false"{(problem is null
            ? Html.Empty
            : Html.Of($" aria-invalid=\"true\" aria-describedby=\"problem\""))} />
        {(problem is null ? Html.Empty : Html.Of($"""<p id="problem" class="alert" role="alert">{problem}</p>"""))}
        <button type="submit" class="strong">Log in</button>
        </form>
        <p class="quiet">Make a token on the daemon's machine:<br /><code>basmalin token create NAME --scope read</code></p>
        </main>
        """));

    private static Html Nothing() => Html.Of($"""
        <div class="empty"><h2>Nothing runs here yet</h2><p>Bring a Compose file: <code>basmalin apply compose.yml</code></p></div>
        """);

    private static Html Stale(Board board, string problem)
    {
        var when = board.Stacks.IsEmpty ? Html.Empty : Html.Of($", {Phrases.Ago(board.ReadAt)}");
        return Html.Of($"""<div class="failure"><p class="reason">This is what was seen last{when}. {problem}</p></div>""");
    }

    private static Html Link(StackBoard stack)
    {
        var health = StackHealth.Of(stack.Status);
        return Html.Of($"""<li><a href="#stack-{stack.Status.Stack}">{stack.Status.Stack} {health.Tone.Pill(health.Word)}</a></li>""");
    }

    private static Html Document(PageFrame frame, string title, Html body) => Html.Of($"""
        <!DOCTYPE html>
        <html lang="en" data-bundle="{frame.Bundle}">
        <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="{frame.Asset("favicon.svg")}" type="image/svg+xml" />
        <link rel="preload" href="{frame.Asset("inter.woff2")}" as="font" type="font/woff2" crossorigin="" />
        <link rel="stylesheet" href="{frame.Asset("uplot.css")}" />
        <link rel="stylesheet" href="{frame.Asset("status.css")}" />
        </head>
        <body>{body}</body>
        </html>
        """);
}
