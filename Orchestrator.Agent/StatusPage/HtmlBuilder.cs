using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Orchestrator.Agent.StatusPage;

/// <summary>What the compiler makes of <c>Html.Of($"…")</c>. There is no general hole on purpose: a new type has to say how it is shown.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlBuilder
{
    private readonly StringBuilder _markup;

    public HtmlBuilder(int literalLength, int formattedCount) => _markup = new StringBuilder(literalLength + (formattedCount * 16));

    public void AppendLiteral(string markup) => _markup.Append(markup);

    public void AppendFormatted(string? text) => _markup.Append(HtmlText.Encode(text));

    public void AppendFormatted(long number) => _markup.Append(number.ToString(CultureInfo.InvariantCulture));

    public void AppendFormatted(Html markup) => _markup.Append(markup);

    public void AppendFormatted(IEnumerable<Html> markup)
    {
        foreach (var part in markup) _markup.Append(part);
    }

    internal string ToMarkup() => _markup.ToString();
}
