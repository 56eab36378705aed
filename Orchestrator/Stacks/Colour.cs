namespace Orchestrator.Stacks;

/// <summary>The two generations of a service that may run at once.</summary>
public enum Colour
{
    Blue,
    Green,
}

public static class Colours
{
    public static Colour Other(this Colour colour) => colour == Colour.Blue ? Colour.Green : Colour.Blue;

    /// <summary>As it stands in labels, names and metrics.</summary>
    public static string Word(this Colour colour) => colour == Colour.Blue ? "blue" : "green";
}
