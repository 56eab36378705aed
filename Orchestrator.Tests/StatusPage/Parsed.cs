using System.Xml;
using System.Xml.Linq;
using Orchestrator.Agent.StatusPage;

namespace Orchestrator.Tests.StatusPage;

/// <summary>The page is written so that it is well-formed XML too: a parser that forgives nothing then shows whether a text has become markup.</summary>
internal static class Parsed
{
    public static XElement Of(Html markup)
    {
        using var reader = XmlReader.Create(new StringReader(markup.ToString()), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XElement.Load(reader, LoadOptions.PreserveWhitespace);
    }

    public static XElement Find(this XElement root, string name, string @class) =>
        root.DescendantsAndSelf(name).First(element => ((string?)element.Attribute("class") ?? "").Split(' ').Contains(@class));

    public static XElement ById(this XElement root, string id) => root.DescendantsAndSelf().Single(element => (string?)element.Attribute("id") == id);

    /// <summary>As one reads it: white space collapsed.</summary>
    public static string Text(this XElement element) => string.Join(' ', element.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
