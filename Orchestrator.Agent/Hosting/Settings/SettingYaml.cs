using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Orchestrator.Agent.Hosting.Settings;

/// <summary>Reads <c>agent.yml</c> into nodes with places. No anchors or tags: the file has no use for them.</summary>
internal sealed class SettingYaml
{
    private const int Depth = 16;
    private readonly string _file;
    private readonly SettingProblems _problems;
    private readonly Parser _parser;

    private SettingYaml(string file, string content, SettingProblems problems)
    {
        _file = file;
        _problems = problems;
        _parser = new Parser(new StringReader(content));
    }

    /// <returns>Empty when the file is empty or is not YAML; the latter has been reported.</returns>
    public static SettingMap Read(string file, string content, SettingProblems problems)
    {
        var reader = new SettingYaml(file, content, problems);
        try
        {
            return reader.Document() ?? new SettingMap(file);
        }
        catch (YamlException exception)
        {
            problems.Add(reader.At(exception.Start), "", $"not valid YAML: {exception.Message}");
            return new SettingMap(file);
        }
    }

    private SettingMap? Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _)) return null;

        _parser.Consume<DocumentStart>();
        var root = Value(0);
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out var second)) _problems.Add(At(second.Start), "", "a second document starts here: the settings are one document");
        if (root is SettingMap map) return map;
        if (root is not null) _problems.Add(root.Where, "", "expected a mapping of settings");
        return null;
    }

    private SettingNode? Value(int depth)
    {
        var current = _parser.Current ?? throw new SemanticErrorException("the text ends in the middle of a value");
        if (depth > Depth) throw new SemanticErrorException(current.Start, current.End, $"values are nested deeper than {Depth} levels");
        if (_parser.TryConsume<AnchorAlias>(out _)) throw new SemanticErrorException(current.Start, current.End, "aliases have no meaning in this file");
        if (_parser.TryConsume<Scalar>(out var scalar))
            return scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null" ? null : new SettingText(At(scalar.Start), scalar.Value);

        return _parser.TryConsume<SequenceStart>(out var start) ? List(start, depth) : Map(depth);
    }

    private SettingList List(SequenceStart start, int depth)
    {
        var list = new SettingList(At(start.Start), []);
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            if (Value(depth + 1) is { } item) list.Items.Add(item);
        }

        return list;
    }

    private SettingMap Map(int depth)
    {
        var map = new SettingMap(At(_parser.Consume<MappingStart>().Start));
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = _parser.Consume<Scalar>();
            if (map.KeyPlaces.TryGetValue(key.Value, out var first)) _problems.Add(At(key.Start), key.Value, $"is set twice; first at {first}");

            // A key without a value is the same as a key that is not there, but still has to be a known one.
            map.Set(key.Value, At(key.Start), Value(depth + 1) ?? new SettingMap(At(key.Start)));
        }

        return map;
    }

    private string At(Mark mark) => $"{_file}:{Math.Max(1, mark.Line)}:{Math.Max(1, mark.Column)}";
}
