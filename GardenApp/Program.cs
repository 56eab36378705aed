using GardenApp;
using GardenApp.Hosting;

return args switch
{
    // First, and with nothing of the web stack loaded: this runs every few seconds in every container.
    ["--healthcheck", .. var rest] => HealthcheckVerb.Run(rest, Console.Out),
    [] => await ServeVerb.RunAsync(),
    _ => Usage.Print(Console.Error),
};
