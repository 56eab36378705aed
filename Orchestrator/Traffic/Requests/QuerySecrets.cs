using System.Text;

namespace Orchestrator.Traffic.Requests;

/// <summary>Takes the values of parameters that are secrets by their name out of a request's target.</summary>
internal static class QuerySecrets
{
    private const string Hidden = "***";

    private static readonly string[] Parts = ["token", "key", "passw", "pwd", "secret", "sign", "auth", "session", "credential", "jwt", "otp"];
    private static readonly string[] Names = ["sig", "code", "pin", "pass"];

    public static string Redact(string target)
    {
        var query = target.IndexOf('?', StringComparison.Ordinal);
        if (query < 0)
            return target;

        var text = new StringBuilder(target.Length).Append(target, 0, query);
        var start = query;
        while (start < target.Length)
        {
            // The separator in front stays with its parameter.
            var end = target.AsSpan(start + 1).IndexOfAny('&', ';');
            end = end < 0 ? target.Length : start + 1 + end;
            Append(text, target.AsSpan(start, end - start));
            start = end;
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, ReadOnlySpan<char> parameter)
    {
        var equals = parameter.IndexOf('=');
        if (equals >= 0 && IsSecret(parameter[1..equals]))
            text.Append(parameter[..(equals + 1)]).Append(Hidden);
        else
            text.Append(parameter);
    }

    // Names may be written in percent code as well.
    private static bool IsSecret(ReadOnlySpan<char> written)
    {
        var name = Uri.UnescapeDataString(written);
        return Parts.Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase)) || Names.Contains(name, StringComparer.OrdinalIgnoreCase);
    }
}
