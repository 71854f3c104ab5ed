# SPDX-License-Identifier: Apache-2.0
"""Bare words of the Core Business Vocabulary 2.0 and of GS1's measurement types, as EPCIS 2.0.1 JSON writes them."""

from typing import Final

BIZ_STEPS: Final = frozenset(
    """
    accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
    installing killing loading other packing picking receiving removing repackaging repairing replacing
    reserving retail_selling shipping staging_outbound stock_taking stocking storing transporting unloading
    unpacking void_shipping sensor_reporting sampling
    """.split()  # noqa: SIM905
)

DISPOSITIONS: Final = frozenset(
    """
    active available completeness_inferred completeness_verified conformant container_closed container_open
    damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class
    mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other
    partially_dispensed recalled reserved retail_sold returned sellable_accessible sellable_not_accessible
    stolen unavailable unknown
    """.split()  # noqa: SIM905
)

TRANSACTION_TYPES: Final = frozenset(
    (
        "bol",
        "cert",
        "desadv",
        "inv",
        "pedigree",
        "po",
        "poc",
        "prodorder",
        "recadv",
        "rma",
        "testprd",
        "testres",
        "upevt",
    )
)

PARTY_TYPES: Final = frozenset(("owning_party", "possessing_party", "location"))

ERROR_REASONS: Final = frozenset(("did_not_occur", "incorrect_data"))

SENSOR_ALERTS: Final = frozenset(("ALARM_CONDITION", "ERROR_CONDITION"))

COMPONENTS: Final = frozenset(
    """
    x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude
    longitude altitude
    """.split()  # noqa: SIM905
)

MEASUREMENTS: Final = frozenset(
    """
    AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance
    Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity
    ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency
    Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux
    LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration
    MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power
    Pressure RadiantFlux RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle
    SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate
    VolumeFraction VolumetricFlux Wavenumber
    """.split()  # noqa: SIM905
)
