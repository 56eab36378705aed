using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Planning;

namespace Orchestrator.Agent.Api;

/// <summary>Plans in the words of the contract.</summary>
internal static class PlanResponses
{
    public static PlanResponse From(Plan plan) => new()
    {
        Stack = plan.Stack,
        NothingToDo = plan.NothingToDo,
        Services = [.. plan.Services.Select(From)],
        NewNetworks = plan.NewNetworks,
        NewVolumes = plan.NewVolumes,
        Settings = [.. plan.Settings.Select(From)],
        Notes = plan.Notes,
        WarmSwap = plan.WarmSwap,
        Text = PlanText.Whole(plan),
    };

    private static PlannedServiceResponse From(ServiceAction action) => new(
        action.Service,
        Words.Of(action.Kind),
        action.Reasons,
        [.. action.Changes.Select(From)],
        action.From is { } from ? Words.Of(from.Colour) : null,
        action.To is { } to ? Words.Of(to) : null);

    private static ChangeResponse From(Change change) => new(change.Path, change.Old, change.New);
}
