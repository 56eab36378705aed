using GardenApp;
using GardenApp.Hosting;

return args switch
{
    // First, and with nothing of the web stack loaded: this runs every few seconds in every container.
    ["--healthcheck", .. var rest] => HealthcheckVerb.Run(rest, Console.Out),
    ["--help" or "-h" or "help"] => Usage.Print(Console.Out, exitCode: 0),
    _ => await Verbs.RunAsync(args),
};
