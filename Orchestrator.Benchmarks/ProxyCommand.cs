using System.CommandLine;

namespace Orchestrator.Benchmarks;

/// <summary><c>proxy</c>: what a request through the edge costs against YARP's forwarder with nothing around it.</summary>
internal static class ProxyCommand
{
    public static Command Create()
    {
        var requests = new Option<int>("--requests") { Description = "Requests per round and side", DefaultValueFactory = _ => 20_000 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds, of which the median counts", DefaultValueFactory = _ => 9 };
        var verb = new Command("proxy", "Processor time and bytes of a request through the edge, against the bare forwarder. Exit code 0: within 10 %.") { requests, rounds };
        verb.SetAction(async (parsed, _) =>
        {
            var result = await ProxyCost.RunAsync(parsed.GetValue(requests), parsed.GetValue(rounds));
            Console.WriteLine(result);
            return result.Ratio <= 1.10 ? 0 : 1;
        });
        return verb;
    }
}
