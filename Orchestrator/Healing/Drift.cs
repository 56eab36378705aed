using Orchestrator.Docker;

namespace Orchestrator.Healing;

/// <summary>In what a stack differs from its release.</summary>
/// <param name="Service">The service; null: it concerns the stack.</param>
/// <param name="Slot">Number of the replica, from 1; 0: none in particular.</param>
public abstract record Drift(string? Service, int Slot)
{
    /// <summary>One word, as it is shown and counted.</summary>
    public abstract string Kind { get; }

    /// <summary>The container, network or volume that it is about.</summary>
    public abstract string Subject { get; }

    /// <summary>What was seen, for people.</summary>
    public abstract string Detail { get; }

    /// <summary>There are fewer containers than the release says.</summary>
    public sealed record Missing(string Of, int Number, string Name) : Drift(Of, Number)
    {
        public override string Kind => "missing_replica";

        public override string Subject => Name;

        public override string Detail => "it is not there";
    }

    /// <summary>A container of the release does not run.</summary>
    public sealed record Stopped(string Of, int Number, ObservedContainer Container) : Drift(Of, Number)
    {
        public override string Kind => "stopped";

        public override string Subject => Container.Name;

        public override string Detail => Container.State == ContainerState.Created ? "it was never started" : new Health.ContainerExit(Container.ExitCode, Container.OomKilled, 0, false).ToString();
    }

    /// <summary>The engine is about to start it again, by the restart policy of the service.</summary>
    public sealed record Restarting(string Of, int Number, ObservedContainer Container) : Drift(Of, Number)
    {
        public override string Kind => "restarting";

        public override string Subject => Container.Name;

        public override string Detail => new Health.ContainerExit(Container.ExitCode, Container.OomKilled, Container.RestartCount, false).ToString();
    }

    /// <summary>Somebody has frozen it.</summary>
    public sealed record Paused(string Of, int Number, ObservedContainer Container) : Drift(Of, Number)
    {
        public override string Kind => "paused";

        public override string Subject => Container.Name;

        public override string Detail => "somebody has paused it";
    }

    /// <summary>It runs, and is not well.</summary>
    public sealed record Unhealthy(string Of, int Number, ObservedContainer Container, string Seen) : Drift(Of, Number)
    {
        public override string Kind => "unhealthy";

        public override string Subject => Container.Name;

        public override string Detail => $"it runs and is not well: {Seen}";
    }

    /// <summary>One replica more than the release says: what an interrupted replacement leaves.</summary>
    public sealed record Surplus(string Of, int Number, ObservedContainer Container) : Drift(Of, Number)
    {
        public override string Kind => "surplus_replica";

        public override string Subject => Container.Name;

        public override string Detail => "there are more replicas than the release says";
    }

    /// <summary>A container of ours that belongs to nothing that serves or is kept warm.</summary>
    public sealed record Extra(ObservedContainer Container) : Drift(Container.Service, 0)
    {
        public override string Kind => "extra_container";

        public override string Subject => Container.Name;

        public override string Detail => $"it is of release {Container.Release}, which neither serves nor is kept warm";
    }

    /// <summary>It runs another image than its release says.</summary>
    public sealed record OtherImage(string Of, int Number, ObservedContainer Container, string Wanted) : Drift(Of, Number)
    {
        public override string Kind => "other_image";

        public override string Subject => Container.Name;

        public override string Detail => $"it runs image {Container.ImageId}, the release says {Wanted}";
    }

    /// <summary>It was made from other settings than its release says.</summary>
    public sealed record OtherSettings(string Of, int Number, ObservedContainer Container) : Drift(Of, Number)
    {
        public override string Kind => "other_settings";

        public override string Subject => Container.Name;

        public override string Detail => "it was made from other settings than the release says";
    }

    /// <summary>A network of the stack is gone.</summary>
    public sealed record MissingNetwork(string Name, bool External) : Drift(null, 0)
    {
        public override string Kind => "missing_network";

        public override string Subject => Name;

        public override string Detail => External ? "the external network is not there" : "the network is not there";
    }

    /// <summary>It runs, and is not on a network of its service.</summary>
    /// <param name="Fixed">It has an address of its own there, which cannot be given to it while it runs.</param>
    public sealed record OffNetwork(string Of, int Number, ObservedContainer Container, string Network, bool Fixed) : Drift(Of, Number)
    {
        public override string Kind => "off_network";

        public override string Subject => Container.Name;

        public override string Detail => $"it is not on the network {Network}";
    }

    /// <summary>A volume that a service needs is gone, with what was in it.</summary>
    public sealed record MissingVolume(string Of, string Name) : Drift(Of, 0)
    {
        public override string Kind => "missing_volume";

        public override string Subject => Name;

        public override string Detail => "the volume is gone, with what was in it";
    }
}
