# SPDX-License-Identifier: Apache-2.0
"""
Names that the JSON-LD context of EPCIS 2.0.1 defines, at any depth, and the prefixes among them.

Names only: the context itself is GS1's, is pinned by hash and never fetched.  Mirrors
`https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld`, SHA-256
14b10c9d3e92d35f577bfc610fe5ec15aa2941124987919389d7cd9998516861.
"""

from typing import Final

CONTEXT_URL: Final = "https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld"

CONTEXT_SHA256: Final = "14b10c9d3e92d35f577bfc610fe5ec15aa2941124987919389d7cd9998516861"

PREFIXES: Final = {
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "dcterms": "http://purl.org/dc/terms/",
    "epcis": "https://ref.gs1.org/epcis/",
    "gs1": "https://gs1.org/voc/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Prefixes of the context with their IRIs."""

TERMS: Final = frozenset(
    """
    ALARM_CONDITION AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration AggregationEvent Altitude
    AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum
    AngularVelocity Area AssociationEvent Capacitance Collection Conductance Conductivity Count Density
    Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity EPCISDocument EPCISQueryDocument
    ERROR_CONDITION ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy
    Exposure Force Frequency Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum
    Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass
    MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass
    MolarVolume ObjectEvent Power Pressure RadiantFlux RadiantIntensity Radioactivity RelativeHumidity
    Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time
    Torque TransactionEvent TransformationEvent Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux
    Wavenumber accepting action active altitude arriving assembling available axial_distance azimuth baseURL
    bizLocation bizRules bizStep bizTransaction bizTransactionList bol booleanValue cbv cbvmda cert
    certificationInfo chemicalSubstance childEPCs childQuantityList children collecting commissioning
    completeness_inferred completeness_verified component conformant consigning container_closed
    container_open coordinateReferenceSystem correctiveEventIDs creating_class_instance creationDate
    cycle_counting damaged dataProcessingMethod dcterms declarationTime decommissioning departing desadv
    destination destinationList destroyed destroying deviceID deviceMetadata did_not_occur disassembling
    dispensed dispensing disposed disposition easting elevation_angle encoded encoding endTime
    entering_exiting epcClass epcList epcis epcisBody epcisHeader errorDeclaration eventID eventList
    eventTime eventTimeZoneOffset exception expired gs1 height hexBinaryValue holding id ilmd in_progress
    in_transit inactive incorrect_data inputEPCList inputQuantityList inspecting installing
    instanceIdentifier inv killing latitude loading location longitude masterData maxValue meanValue member
    microorganism minValue mismatch_class mismatch_instance mismatch_quantity needs_replacement
    no_pedigree_match non_conformant non_sellable_other northing other outputEPCList outputQuantityList owl
    owning_party packing parentID partially_dispensed pedigree percRank percValue persistentDisposition
    picking po poc polar_angle possessing_party prodorder quantity quantityList queryName queryResults
    rawData rdfs readPoint reason recadv recalled receiver receiving recordTime removing repackaging
    repairing replacing reserved reserving resultsBody retail_selling retail_sold returned rma sDev sampling
    schemaVersion sellable_accessible sellable_not_accessible sender sensorElementList sensorMetadata
    sensorReport sensor_reporting set shipping source sourceList spherical_radius staging_outbound startTime
    stock_taking stocking stolen storing stringValue subscriptionID testprd testres time transformationID
    transporting type unavailable unknown unloading unpacking unset uom upevt uriValue value vocabularyList
    void_shipping x xsd y z
    """.split()  # noqa: SIM905
)
"""Every name the context defines at any depth, in its own spelling; JSON-LD keywords left out."""
