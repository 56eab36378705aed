using System.Collections.Immutable;
using Orchestrator.Stacks.Interpolation;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks.Parsing;

/// <summary>Finds the names of all variables that a file takes from outside.</summary>
internal static class VariableNames
{
    public static ImmutableSortedSet<string> In(string content)
    {
        var names = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        var findings = new Findings("");

        // Evaluating would leave out what stands in a default that is not needed, so every value's template is asked.
        var interpolator = new Interpolator(findings, "", _ => "") { Seen = template => names.UnionWith(template.Names()) };
        if (YamlReader.Read(content, findings, interpolator) is MappingNode root)
        {
            foreach (var service in Children(root, "services"))
            {
                names.UnionWith(WithoutValue(Child(service, "environment")));
                names.UnionWith(WithoutValue(Child(Child(service, "build"), "args")));
            }

            foreach (var one in Children(root, "secrets").Concat(Children(root, "configs")))
            {
                if (Child(one, "environment") is ScalarNode { Value.Length: > 0 } variable) names.Add(variable.Value);
            }
        }

        return names.ToImmutable();
    }

    private static IEnumerable<string> WithoutValue(Node? node) => node switch
    {
        MappingNode mapping => mapping.Entries.Where(entry => entry.Value is ScalarNode { IsNull: true }).Select(entry => entry.Key),
        SequenceNode list => list.Items.OfType<ScalarNode>().Select(item => item.Raw).Where(raw => raw.Length > 0 && raw.IndexOfAny(['=', '$']) < 0),
        _ => [],
    };

    private static IEnumerable<Node> Children(Node? node, string key) =>
        Child(node, key) is MappingNode mapping ? mapping.Entries.Select(entry => entry.Value) : [];

    private static Node? Child(Node? node, string key) => (node as MappingNode)?.Entries.FirstOrDefault(entry => entry.Key == key).Value;
}
