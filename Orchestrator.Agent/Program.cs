using Orchestrator.Agent.Cli;

return await CommandLine.RunAsync(args, CliHost.OfProcess());
