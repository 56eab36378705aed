using GardenApp.Insights;

namespace GardenApp.Health;

/// <summary>The model, where one is configured: how the last question went. Asking for the sake of a probe would cost money.</summary>
internal sealed class ExternalApisCheck
{
    private const string Name = "external_apis";

    private readonly ModelClient _model;

    public ExternalApisCheck(ModelClient model) => _model = model;

    internal HealthCheckResult Run() => _model switch
    {
        { Dialect: null } => HealthCheckResult.Healthy(Name, "none needed: insights come from rules"),
        { LastFailure: { } failure } => HealthCheckResult.Degraded(Name, $"{failure}; the rules answer instead"),
        { Dialect.Name: var name } => HealthCheckResult.Healthy(Name, $"{name}: no failure since the last answer"),
    };
}
