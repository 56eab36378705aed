using System.Globalization;

namespace Orchestrator.Traffic.Requests;

/// <summary>Which compression a client understands (RFC 9110, section 12.5.3): the one that it likes best, Brotli of equals.</summary>
internal static class AcceptedEncoding
{
    public const string Brotli = "br";
    public const string GZip = "gzip";

    /// <returns>Null: none that there is.</returns>
    public static string? Of(ReadOnlySpan<char> header)
    {
        var (brotli, gzip, any) = (-1.0, -1.0, -1.0);
        foreach (var range in header.Split(','))
        {
            var item = header[range];
            var end = item.IndexOf(';');
            var name = (end < 0 ? item : item[..end]).Trim();
            var weight = end < 0 ? 1 : Weight(item[(end + 1)..]);
            if (name.Equals(Brotli, StringComparison.OrdinalIgnoreCase))
                brotli = weight;
            else if (name.Equals(GZip, StringComparison.OrdinalIgnoreCase))
                gzip = weight;
            else if (name is "*")
                any = weight;
        }

        brotli = brotli < 0 ? any : brotli;
        gzip = gzip < 0 ? any : gzip;
        return brotli > 0 && brotli >= gzip ? Brotli : gzip > 0 ? GZip : null;
    }

    private static double Weight(ReadOnlySpan<char> parameter)
    {
        parameter = parameter.Trim();
        return parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(parameter[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight) ? weight : 0;
    }
}
