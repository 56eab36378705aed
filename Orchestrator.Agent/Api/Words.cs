namespace Orchestrator.Agent.Api;

/// <summary>Members of enumerations as the contract writes them: camelCase.</summary>
internal static class Words
{
    public static string Of<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}
