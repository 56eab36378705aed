namespace Orchestrator.Docker;

/// <summary>Labels on all that BasMalin creates. It touches nothing without them. The names are a contract.</summary>
public static class Labels
{
    public const string Stack = "basmalin.stack";
    public const string Service = "basmalin.service";
    public const string Colour = "basmalin.colour";
    public const string Release = "basmalin.release";
    public const string Deployment = "basmalin.deployment";

    /// <summary>Number of the replica within its colour, from 1.</summary>
    public const string Replica = "basmalin.replica";

    /// <summary>Hash of what the container was made of.</summary>
    public const string Spec = "basmalin.spec";

    /// <summary><c>service</c>, <c>migration</c>, or <c>backup</c>: a short-lived program that copies data, which is no part of what a stack consists of.</summary>
    public const string Kind = "basmalin.kind";

    /// <summary>
    /// Which daemon's it is: the name in the file <c>agent.id</c> of its data directory. So that one whose journal is lost knows its own among those of others.
    /// Set by the engine client itself.
    /// </summary>
    public const string Agent = "basmalin.agent";

    /// <summary>What the edge has to know to serve the service, see <c>RouteLabel</c>; on live colours, for the day on which the journal is lost.</summary>
    public const string Routes = "basmalin.routes";

    /// <summary>Which of its volumes have taken the place of declared ones, see <c>VolumeLabel</c>.</summary>
    public const string Volumes = "basmalin.volumes";

    /// <summary>Hash of the whole creation request, by which a repeated creation knows its own work. Set by the engine client itself.</summary>
    public const string Request = "basmalin.request";
}
