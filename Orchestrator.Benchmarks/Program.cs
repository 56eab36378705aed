using System.CommandLine;
using Orchestrator.Benchmarks;
using Orchestrator.Benchmarks.Backup;
using Orchestrator.Benchmarks.Edge;
using Orchestrator.Benchmarks.Load;

var root = new RootCommand("Measures BasMalin on this machine, and puts load on things.") { LoadCommand.Create(), ProxyCommand.Create(), ServeCommand.Create(), SizeCommand.Create() };
foreach (var verb in BenchCommand.CreateAll())
    root.Subcommands.Add(verb);

// On SIGINT and SIGTERM a verb ends in good order: it reports what it has, or takes away what it has started.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
