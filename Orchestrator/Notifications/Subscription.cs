using System.Collections.Immutable;

namespace Orchestrator.Notifications;

/// <summary>What a channel wants to hear of.</summary>
/// <param name="Stacks">The stacks that it concerns. Empty: all, and what belongs to none.</param>
/// <param name="Events">Of <see cref="Notification.Events"/>. Empty: all.</param>
public sealed record Subscription(ImmutableArray<string> Stacks, ImmutableArray<string> Events)
{
    public bool Wants(Notification notification) =>
        (Events.IsEmpty || Events.Contains(notification.Event))
        && (Stacks.IsEmpty || (notification.Stack is { } stack && Stacks.Contains(stack)));
}
