using Orchestrator.Deployments;
using Orchestrator.Stacks;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>The services of a stack and their containers.</summary>
internal static class ServicesView
{
    public static Html Render(StackStatus stack) => stack.Services.IsEmpty
        ? Html.Of($"""<div id="services-{stack.Stack}"><p class="quiet">No services yet: its first deployment has not brought any.</p></div>""")
        : Html.Of($"""
            <div id="services-{stack.Stack}">
            <table class="services">
            <caption class="unseen">Services of {stack.Stack}</caption>
            <thead><tr><th scope="col">Service</th><th scope="col">Colour</th><th scope="col">Health</th><th scope="col">Replicas</th><th scope="col">Release</th><th scope="col">Reached at</th><th scope="col">Image</th></tr></thead>
            <tbody>{stack.Services.Select(service => Row(stack, service))}</tbody>
            </table>
            <details class="containers" id="containers-{stack.Stack}">
            <summary>{Phrases.Counted(stack.Services.Sum(service => service.Containers.Length), "container", "containers")}</summary>
            <table class="services">
            <caption class="unseen">Containers of {stack.Stack}</caption>
            <thead><tr><th scope="col">Container</th><th scope="col">Colour</th><th scope="col">State</th><th scope="col">Release</th><th scope="col">Address</th><th scope="col">Started</th></tr></thead>
            <tbody>{stack.Services.SelectMany(service => service.Containers).Select(Row)}</tbody>
            </table>
            </details>
            </div>
            """);

    public static Html Chip(Colour? colour) => colour is { } known
        ? Html.Of($"""<span class="chip chip-{known.Word()}">{known.Word()}</span>""")
        : Html.Of($"""<span class="quiet">no colour</span>""");

    private static Html Row(StackStatus stack, ServiceStatus service) => Html.Of($"""
        <tr id="service-{stack.Stack}/{service.Service}">
        <th scope="row">{service.Service} <span class="role">{RoleOf(service.Role)}</span></th>
        <td data-label="Colour">{Chip(service.Colour)}</td>
        <td data-label="Health">{StackHealth.ToneOf(service.Health).Pill(service.Health)}</td>
        <td data-label="Replicas"><span class="{(service.ReplicasRunning < service.ReplicasWanted ? "short" : "enough")}">{service.ReplicasRunning} of {service.ReplicasWanted}</span></td>
        <td data-label="Release">{service.Release}</td>
        <td data-label="Reached at">{Routes(service)}</td>
        <td data-label="Image"><code>{service.Image}</code></td>
        </tr>
        """);

    private static Html Routes(ServiceStatus service) => service.Routes.IsEmpty
        ? Html.Of($"""<span class="quiet">inside only</span>""")
        : Html.Of($"""<ul class="routes">{service.Routes.Select(route => Html.Of($"<li><code>{route}</code></li>"))}</ul>""");

    private static Html Row(ContainerStatus container) => Html.Of($"""
        <tr id="container-{container.Id}">
        <th scope="row"><code>{container.Name}</code></th>
        <td data-label="Colour">{Chip(container.Colour)}{(container.Live ? Html.Empty : Html.Of($""" <span class="role">no traffic</span>"""))}</td>
        <td data-label="State">{StackHealth.ToneOf(container.Health).Pill(container.Health)}{(container.State == "running" ? Html.Empty : Html.Of($""" <span class="role">{container.State}</span>"""))}</td>
        <td data-label="Release">{container.Release}</td>
        <td data-label="Address">{(container.Address is null ? Html.Of($"""<span class="quiet">none</span>""") : Html.Of($"<code>{container.Address}</code>"))}</td>
        <td data-label="Started">{(container.StartedAt is { } started ? Phrases.Ago(started) : Html.Of($"""<span class="quiet">not yet</span>"""))}</td>
        </tr>
        """);

    private static string RoleOf(ServiceRole role) => Phrases.Name(role);
}
