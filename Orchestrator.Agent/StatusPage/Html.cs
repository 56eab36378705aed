using System.Text;

namespace Orchestrator.Agent.StatusPage;

/// <summary>
/// Markup that may be sent as it is. The only way to make some is an interpolated string whose holes are encoded, so that what comes from a
/// container (names, logs, failures) cannot become markup.
/// </summary>
internal readonly struct Html
{
    private readonly string? _markup;

    private Html(string markup) => _markup = markup;

    public static Html Empty => default;

    public bool IsEmpty => string.IsNullOrEmpty(_markup);

    /// <param name="markup">Its literal parts are markup, its holes are text. A hole in an attribute stands in double quotes.</param>
    public static Html Of(HtmlBuilder markup) => new(markup.ToMarkup());

    public static Html Join(IEnumerable<Html> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts) text.Append(part._markup);
        return new(text.ToString());
    }

    public override string ToString() => _markup ?? "";
}
