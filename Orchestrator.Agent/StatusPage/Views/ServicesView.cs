using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Stacks;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>The services of a stack and their containers.</summary>
internal static class ServicesView
{
    private static readonly ImmutableArray<string> OfServices = ["Service", "Colour", "Health", "Replicas", "Release", "Reached at", "Image"];
    private static readonly ImmutableArray<string> OfContainers = ["Container", "Colour", "State", "Release", "Address", "Started"];

    public static Html Render(StackStatus stack) => stack.Services.IsEmpty
        ? Html.Of($"""<div id="services-{stack.Stack}"><p class="quiet">{(stack.CurrentRelease == 0 ? "No services yet: its first deployment has not brought any." : "Removed: a rollback brings its services back.")}</p></div>""")
        : Html.Of($"""
            <div id="services-{stack.Stack}">
            {Table("Services of " + stack.Stack, OfServices, stack.Services.Select(service => Row(stack, service)))}
            <details class="containers" id="containers-{stack.Stack}">
            <summary>{Phrases.Counted(stack.Services.Sum(service => service.Containers.Length), "container", "containers")}</summary>
            {Table("Containers of " + stack.Stack, OfContainers, stack.Services.SelectMany(service => service.Containers).Select(Row))}
            </details>
            </div>
            """);

    public static Html Chip(Colour? colour) => colour is { } known
        ? Html.Of($"""<span class="chip chip-{known.Word()}">{known.Word()}</span>""")
        : Quiet("no colour");

    private static Html Table(string caption, ImmutableArray<string> columns, IEnumerable<Html> rows) => Html.Of($"""
        <table class="services">
        <caption class="unseen">{caption}</caption>
        <thead><tr>{columns.Select(column => Html.Of($"""<th scope="col">{column}</th>"""))}</tr></thead>
        <tbody>{rows}</tbody>
        </table>
        """);

    private static Html Row(StackStatus stack, ServiceStatus service) => Html.Of($"""
        <tr id="service-{stack.Stack}/{service.Service}">
        <th scope="row">{service.Service} <span class="role">{RoleOf(service.Role)}</span></th>
        <td data-label="Colour">{Chip(service.Colour)}</td>
        <td data-label="Health">{StackHealth.ToneOf(service.Health).Pill(service.Health)}</td>
        <td data-label="Replicas">{Replicas(service)}</td>
        <td data-label="Release">{service.Release}</td>
        <td data-label="Reached at">{Routes(service)}</td>
        <td data-label="Image"><code>{service.Image}</code></td>
        </tr>
        """);

    private static Html Routes(ServiceStatus service) => service.Routes.IsEmpty
        ? Quiet("inside only")
        : Html.Of($"""<ul class="routes">{service.Routes.Select(route => Html.Of($"<li><code>{route}</code></li>"))}</ul>""");

    private static Html Row(ContainerStatus container) => Html.Of($"""
        <tr id="container-{container.Id}">
        <th scope="row"><code>{container.Name}</code></th>
        <td data-label="Colour">{Chip(container.Colour)} {(container.Live ? Html.Empty : Quiet("no traffic"))}</td>
        <td data-label="State">
        {StackHealth.ToneOf(container.Health).Pill(container.Health)} {(container.State == "running" ? Html.Empty : Quiet(container.State))}
        </td>
        <td data-label="Release">{container.Release}</td>
        <td data-label="Address">{(container.Address is { } address ? Html.Of($"<code>{address}</code>") : Quiet("none"))}</td>
        <td data-label="Started">{(container.StartedAt is { } started ? Phrases.Ago(started) : Quiet("not yet"))}</td>
        </tr>
        """);

    private static Html Replicas(ServiceStatus service)
    {
        var enough = service.ReplicasRunning >= service.ReplicasWanted;
        return Html.Of($"""<span class="{(enough ? "enough" : "short")}">{service.ReplicasRunning} of {service.ReplicasWanted}</span>""");
    }

    private static Html Quiet(string text) => Html.Of($"""<span class="role">{text}</span>""");

    private static string RoleOf(ServiceRole role) => Phrases.Name(role);
}
