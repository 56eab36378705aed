using System.Globalization;

namespace GardenApp.Hosting;

/// <summary>Reads environment variables and collects every problem with them, so that all are reported at once.</summary>
internal sealed class SettingsReader
{
    private readonly Func<string, string?> _read;
    private readonly List<string> _problems = [];

    internal SettingsReader(Func<string, string?> read) => _read = read;

    internal IReadOnlyList<string> Problems => _problems;

    /// <summary>An empty variable counts as unset: Compose passes <c>${UNSET}</c> on as an empty string.</summary>
    internal string? Text(string name) => _read(name) is { Length: > 0 } text ? text : null;

    internal string Text(string name, string standard) => Text(name) ?? standard;

    /// <summary><c>NAME</c>, or the first line of the file that <c>NAME_FILE</c> points to, as secrets are mounted.</summary>
    internal string? Secret(string name)
    {
        if (Text($"{name}_FILE") is not { } path) return Text(name);
        if (Text(name) is not null) return Problem<string>($"set {name} or {name}_FILE, not both");
        try
        {
            return File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Problem<string>($"{name}_FILE: {exception.Message}");
        }
    }

    internal int? Integer(string name, int least, int most)
    {
        if (Text(name) is not { } text) return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most) return value;
        Report($"{name} must be a whole number from {least} to {most}, not '{text}'");
        return null;
    }

    internal double? Number(string name, double least, double most)
    {
        if (Text(name) is not { } text) return null;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most) return value;
        Report(string.Create(CultureInfo.InvariantCulture, $"{name} must be a number from {least} to {most}, not '{text}'"));
        return null;
    }

    internal bool Flag(string name)
    {
        switch (Text(name)?.ToLowerInvariant())
        {
            case null or "false" or "0": return false;
            case "true" or "1": return true;
            default:
                Report($"{name} must be true or false, not '{Text(name)}'");
                return false;
        }
    }

    internal void Report(string problem) => _problems.Add(problem);

    private T? Problem<T>(string problem) where T : class
    {
        Report(problem);
        return null;
    }
}
