using Orchestrator.Tests.Faults;

// The tests, or, for the tests that kill a daemon, the daemon: no hook for killing is in the product.
return args is [MortalDaemon.Verb, var directory] ? await MortalDaemon.RunAsync(directory) : await Orchestrator.Tests.MicrosoftTestingPlatformApplication.RunAsync(args);
