using System.Diagnostics;

namespace Orchestrator.Tests.Faults;

/// <summary>A server that starts in milliseconds, in a version that is well and in those that fail in one way each. Built on this host, once.</summary>
internal static class FaultImages
{
    // One process for all clients: where a fork is dear, one for each request takes a machine's whole time, and everything seems to be late.
    private const string Server = """
        use IO::Socket::INET;
        use IO::Select;
        $SIG{TERM} = sub { exit 0 };
        $SIG{PIPE} = 'IGNORE';
        my ($version, $mode) = ($ENV{VERSION}, $ENV{MODE});
        exit 7 if $mode eq 'exit';
        my $socket = IO::Socket::INET->new(LocalPort => 3000, Listen => 128, ReuseAddr => 1, Blocking => 0) or die $!;
        my ($open, %asked) = (IO::Select->new($socket));
        while (1) {
          for my $ready ($open->can_read) {
            if ($ready == $socket) {
              my $client = $socket->accept or next;
              $open->add($client);
              next;
            }
            if (sysread $ready, my $piece, 65536) {
              next unless ($asked{$ready} .= $piece) =~ /\n\r?\n/;
              my ($path) = $asked{$ready} =~ /^\S+ (\S+)/;
              my $status = $mode eq 'sick' && $path eq '/up' ? 503 : $mode eq 'smoke' && $path eq '/smoke' ? 500 : $mode eq 'bake' && $path eq '/' ? 500 : 200;
              syswrite $ready, "HTTP/1.1 $status X\r\nX-Version: $version\r\nContent-Length: ".length($version)."\r\nConnection: close\r\n\r\n$version";
            }
            delete $asked{$ready};
            $open->remove($ready);
            close $ready;
          }
        }
        """;

    private static readonly Lazy<Task> Built = new(BuildAsync);

    /// <param name="tag">ok-1, ok-2, or sick, exit, smoke, bake, migration.</param>
    public static string Name(string tag) => $"basmalin-faults:{tag}";

    public static Task EnsureAsync() => Built.Value;

    private static async Task BuildAsync()
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-faults-").FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "server.pl"), Server);
        await File.WriteAllTextAsync(
            Path.Combine(directory, "Dockerfile"),
            $"FROM {Engine.Garden.Registry}/base:bookworm\nCOPY server.pl /server.pl\nARG VERSION\nARG MODE\nENV VERSION=$VERSION MODE=$MODE\nCMD [\"perl\", \"/server.pl\"]\n");
        foreach (var (tag, version, mode) in new[] { ("ok-1", "1", "ok"), ("ok-2", "2", "ok") }.Concat(new[] { "sick", "exit", "smoke", "bake", "migration" }.Select(mode => (mode, "bad", mode))))
        {
            var start = new ProcessStartInfo("docker", $"build -q --build-arg VERSION={version} --build-arg MODE={mode} -t {Name(tag)} {directory}") { RedirectStandardOutput = true, RedirectStandardError = true };
            using var build = Process.Start(start) ?? throw new InvalidOperationException("docker cannot be started.");
            var told = await build.StandardError.ReadToEndAsync();
            await build.WaitForExitAsync();
            if (build.ExitCode != 0) throw new InvalidOperationException($"{Name(tag)} could not be built: {told}");
        }

        Directory.Delete(directory, recursive: true);
    }
}
