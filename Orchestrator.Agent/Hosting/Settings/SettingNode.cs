namespace Orchestrator.Agent.Hosting.Settings;

/// <summary>A value of <c>agent.yml</c>, or of the environment laid over it, with where it stands.</summary>
/// <param name="Where"><c>agent.yml:12:3</c>, or the variable's name.</param>
internal abstract record SettingNode(string Where);

internal sealed record SettingText(string Where, string Value) : SettingNode(Where);

internal sealed record SettingList(string Where, List<SettingNode> Items) : SettingNode(Where);

internal sealed record SettingMap(string Where) : SettingNode(Where)
{
    /// <summary>Key as written → its value; in the order of the file.</summary>
    public OrderedDictionary<string, SettingNode> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Where each key itself stands.</summary>
    public Dictionary<string, string> KeyPlaces { get; } = new(StringComparer.Ordinal);

    public void Set(string key, string where, SettingNode value)
    {
        Entries[key] = value;
        KeyPlaces[key] = where;
    }
}
