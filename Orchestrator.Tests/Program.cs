using System.Globalization;
using Orchestrator.Tests.Backups.Pipeline;
using Orchestrator.Tests.Faults;

// The tests, or what some of them need a process of its own for: a daemon that can be killed (no hook for that is in the product), a backup whose memory is measured.
return args switch
{
    [MortalDaemon.Verb, var directory] => await MortalDaemon.RunAsync(directory),
    [LimitRun.Verb, var directory, var bytes] => await LimitRun.RunAsync(directory, long.Parse(bytes, CultureInfo.InvariantCulture)),
    _ => await Orchestrator.Tests.MicrosoftTestingPlatformApplication.RunAsync(args),
};
