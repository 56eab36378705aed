using System.CommandLine;
using Orchestrator.Benchmarks;
using Orchestrator.Benchmarks.Load;

var root = new RootCommand("Measures BasMalin on this machine, and puts load on things.") { LoadCommand.Create(), ProxyCommand.Create() };

// The verbs end by themselves on SIGINT and SIGTERM, with what they have measured by then.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
