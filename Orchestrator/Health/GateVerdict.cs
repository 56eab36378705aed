namespace Orchestrator.Health;

public enum GateVerdict
{
    Waiting,
    Healthy,
    TooLate,
}
