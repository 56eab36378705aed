using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace GardenApp.Hosting;

/// <summary>
/// The container's own probe, so that the image needs neither curl nor a shell. A bare socket and one HTTP/1.0 request:
/// no HttpClient, because the probe runs every few seconds beside the server on the same cores.
/// </summary>
internal static class HealthcheckVerb
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    internal static int Run(string[] arguments, TextWriter output)
    {
        var path = arguments is [var given, ..] ? given : "/api/health";
        var port = int.TryParse(Environment.GetEnvironmentVariable("PORT"), NumberStyles.None, CultureInfo.InvariantCulture, out var set) ? set : 3000;
        try
        {
            var answer = Ask(path, port);
            // "HTTP/1.1 200 OK", then headers, then the body that says what is wrong.
            var healthy = answer.Split('\n', 2)[0].Contains(" 200 ", StringComparison.Ordinal);
            output.WriteLine(answer.Split("\r\n\r\n", 2) is [_, { Length: > 0 } body] ? body : answer);
            return healthy ? 0 : 1;
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            output.WriteLine($"127.0.0.1:{port} does not answer: {exception.Message}");
            return 1;
        }
    }

    private static string Ask(string path, int port)
    {
        using var client = new TcpClient { ReceiveTimeout = (int)Patience.TotalMilliseconds, SendTimeout = (int)Patience.TotalMilliseconds };
        client.Connect("127.0.0.1", port);
        using var stream = client.GetStream();
        stream.Write(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: GardenApp-healthcheck\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
