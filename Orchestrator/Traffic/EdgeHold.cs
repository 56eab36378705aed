namespace Orchestrator.Traffic;

/// <summary>What became of a request that could not be sent.</summary>
internal enum EdgeHold
{
    /// <summary>There is somewhere to send it to again.</summary>
    Released,

    /// <summary>Its route was taken away meanwhile.</summary>
    NoRoute,

    Maintenance,

    /// <summary>It waited long enough, or too many wait already.</summary>
    GivenUp,

    ClientLeft,
}
