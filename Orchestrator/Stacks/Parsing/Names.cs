using System.Text.RegularExpressions;

namespace Orchestrator.Stacks.Parsing;

/// <summary>What names may look like.</summary>
internal static partial class Names
{
    private const int LongestStack = 40;

    /// <summary>A label of the domain name system, which services are found by.</summary>
    private const int LongestService = 63;

    public const string ImageExpected = "an image, e.g. registry.example/app:1.4.0";

    public static bool IsService(string name) => name.Length <= LongestService && Plain().IsMatch(name);

    public static bool IsObject(string name) => name.Length <= 128 && Plain().IsMatch(name);

    /// <returns>What is wrong with the name, or null when nothing is.</returns>
    public static string? ProblemInStack(string name) =>
        name.Length == 0 ? "the name is empty"
        : name.Length > LongestStack ? $"the name has {name.Length} characters; at most {LongestStack} fit into the names of containers"
        : Stack().IsMatch(name) ? null
        : "a name consists of lower-case letters, digits, '-' and '_' and starts with a letter or digit";

    /// <summary>As Compose makes a name of a directory's: lower case, everything else left out.</summary>
    public static string NormaliseStack(string name) =>
        string.Concat(name.ToLowerInvariant().Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_')).TrimStart('-', '_');

    public static string? Container(Field field)
    {
        const string expected = "a name of letters, digits, '_', '.' and '-' that starts with a letter or digit";
        if (field.NonEmpty(expected) is not { } name) return null;
        if (name.Length is >= 2 and <= 128 && Plain().IsMatch(name)) return name;

        field.Expected(expected);
        return null;
    }

    public static string? Hostname(Field field)
    {
        const string expected = "a host name of letters, digits, '-' and '.'";
        if (field.NonEmpty(expected) is not { } name) return null;
        if (name.Length <= 253 && HostName().IsMatch(name)) return name;

        field.Expected(expected);
        return null;
    }

    public static string? Image(Field field)
    {
        if (field.NonEmpty(ImageExpected) is not { } image) return null;
        if (image.Length <= 512 && Reference().IsMatch(image)) return image;

        field.Expected(ImageExpected, image.Any(char.IsUpper) ? "the name of a repository is written in lower case" : null);
        return null;
    }

    [GeneratedRegex(@"\A[a-zA-Z0-9][a-zA-Z0-9_.-]*\z")]
    private static partial Regex Plain();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]*\z")]
    private static partial Regex Stack();

    [GeneratedRegex(@"\A[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?\z")]
    private static partial Regex HostName();

    // [registry[:port]/]repository[:tag][@digest], as the engine's own grammar has it.
    private const string Registry = @"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?";
    private const string Word = @"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*";
    private const string Tag = @"(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?";
    private const string Digest = @"(?:@[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z0-9]+)*:[0-9a-fA-F]{32,})?";

    [GeneratedRegex(@"\A" + Registry + Word + "(?:/" + Word + ")*" + Tag + Digest + @"\z", RegexOptions.NonBacktracking)]
    private static partial Regex Reference();
}
